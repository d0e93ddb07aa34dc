// What all blocks of code of a page share: the names of its colours, and where the reader looks.

/** The CSS Custom Highlight API colours text that stays text. Elsewhere there are spans. */
export const isNative =
  typeof Highlight === "function" && typeof StaticRange === "function" && globalThis.CSS?.highlights !== undefined;

/** More colours than any theme has. */
const MOST_COLORS = 500;

/** Colour → the highlight that has it, or the name of its class. */
const names = new Map();
let sheet;

/** What shows text in a colour: a `Highlight`, or a class. Undefined for what is no colour. */
export function colorName(color) {
  if (!names.has(color)) {
    names.set(color, makeName(color));
  }
  return names.get(color);
}

function makeName(color) {
  if (typeof color !== "string" || names.size >= MOST_COLORS || !CSS.supports("color", color)) {
    return undefined;
  }
  const name = `riacho-color-${names.size + 1}`;
  if (!isNative) {
    rules().insertRule(`.${name} { color: ${color}; }`);
    return name;
  }
  rules().insertRule(`::highlight(${name}) { color: ${color}; }`);
  const highlight = new Highlight();
  CSS.highlights.set(name, highlight);
  return highlight;
}

/** Made by script: a content policy that forbids inline styles has nothing against it. */
function rules() {
  sheet ??= new CSSStyleSheet();
  return sheet;
}

/** The colours hold in the document, or the shadow tree, that this is in. */
export function bringColors(code) {
  const root = code.getRootNode();
  if (root.adoptedStyleSheets !== undefined && !root.adoptedStyleSheets.includes(rules())) {
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, rules()];
  }
}

/** The tints of the page. Each lives as long as its code does. */
const tints = new Set();
const owners = new WeakMap();
let observer;
let isAsked = false;

/** From now on `tint.look` is told where the reader looks. */
export function watchView(code, tint) {
  owners.set(code, tint);
  tints.add(new WeakRef(tint));
  if (observer === undefined) {
    observer = new IntersectionObserver(show, { rootMargin: "50%" });
    document.addEventListener("scroll", show, { capture: true, passive: true });
    addEventListener("resize", show, { passive: true });
    // On paper there is no window to look through.
    addEventListener("beforeprint", () => look({ top: -Infinity, bottom: Infinity }));
    addEventListener("afterprint", show);
  }
  observer.observe(code);
}

/** Looks again on the next frame: before it is painted, so that nobody sees code without its colours. */
export function show() {
  if (!isAsked) {
    isAsked = true;
    requestAnimationFrame(() => {
      isAsked = false;
      // Half a window's height more on both sides.
      look({ top: -innerHeight / 2, bottom: 1.5 * innerHeight });
    });
  }
}

function look(view) {
  for (const weak of tints) {
    const tint = weak.deref();
    if (tint === undefined) {
      tints.delete(weak);
    } else {
      tint.look(view);
    }
  }
}
