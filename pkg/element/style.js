// What the shadow of <riacho-chat> looks like: parts and custom properties, for a page to say otherwise.

const CSS = `
:host { display: grid; grid-template: minmax(0, 1fr) auto auto / minmax(0, 1fr); min-block-size: 12rem; }
:host([hidden]) { display: none; }
[hidden] { display: none; }
[part~="log"] { overflow-y: auto; padding: var(--riacho-padding, 1rem); }
[part~="notice"] { margin: 0; padding: 0.25rem var(--riacho-padding, 1rem); color: var(--riacho-notice-color, CanvasText); }
[part~="composer"] { display: flex; gap: 0.5rem; align-items: end; padding: var(--riacho-padding, 1rem); border-block-start: 1px solid var(--riacho-border-color, GrayText); }
[part~="input"] { flex: 1; min-inline-size: 0; font: inherit; color: inherit; background: var(--riacho-input-background, Field); border: 1px solid var(--riacho-border-color, GrayText); border-radius: var(--riacho-radius, 0.4rem); padding: 0.5rem; resize: vertical; }
[part~="input"]::placeholder { color: inherit; opacity: 0.7; }
[part~="button"] { font: inherit; padding: 0.5rem 0.9rem; border-radius: var(--riacho-radius, 0.4rem); border: 1px solid var(--riacho-border-color, GrayText); background: var(--riacho-button-background, ButtonFace); color: var(--riacho-button-color, ButtonText); cursor: pointer; }
:focus-visible { outline: 2px solid var(--riacho-focus-color, CanvasText); outline-offset: 2px; }
[part~="status"] { position: absolute; inline-size: 1px; block-size: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
`;

let made;

/** One sheet for all of them. A constructed sheet needs nothing of a content policy. */
export function sheet() {
  if (made === undefined) {
    made = new CSSStyleSheet();
    made.replaceSync(CSS);
  }
  return made;
}
