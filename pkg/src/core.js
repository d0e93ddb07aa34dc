// The core, as the rest of the package has it: all that a page loads that only renders.
export { Drawings, allowImages, sayImages } from "../dist/riacho.js";
export { Events } from "./events.js";
export { listed, origin } from "./images.js";
export { died, isFatal, live, loadPlain, plainNow, trouble } from "./life.js";
export { assertStarted, fetchSanitizer, init, needs, sanitizer } from "./loader.js";
export { MarkdownStream } from "./markdown.js";
export { watching } from "./watch.js";
