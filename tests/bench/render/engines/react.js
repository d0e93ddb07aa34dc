// What the React renderers share: a root, and a render that is on screen when it returns.
import { createElement } from "react";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";

/** With `settle` a chunk is on screen only after effects have run: React counts updates from effects that are never let go. */
export function inReact(container, element, { settle = false } = {}) {
  const root = createRoot(container);
  let text = "";
  const show = (finished) => {
    flushSync(() => root.render(element(text, finished)));
    return settle ? nextTask() : undefined;
  };
  return {
    push: (chunk) => { text += chunk; return show(false); },
    end: () => show(true),
    free: () => root.unmount(),
  };
}

function nextTask() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

export { createElement };
