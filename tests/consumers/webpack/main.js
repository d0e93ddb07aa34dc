// The element, as a page imports it for its effect: it must not be shaken away.
import "riacho/element";
