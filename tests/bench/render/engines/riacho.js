// riacho, from the built package, each chunk brought to the screen at once.
import init, { MarkdownStream } from "/riacho/markdown.js";

export const ready = () => init();

export function create(container) {
  const stream = new MarkdownStream(container);
  return {
    push: (chunk) => { stream.push(chunk); stream.flush(); },
    end: () => stream.end(),
    free: () => stream.free(),
  };
}
