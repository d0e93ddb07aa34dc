// Vercel's streamdown: blocks are lexed anew at every update, and memoised.
import { Streamdown } from "streamdown";
import { createElement, inReact } from "./react.js";

export function create(container) {
  return inReact(container, (text, finished) =>
    createElement(Streamdown, { mode: finished ? "static" : "streaming", isAnimating: !finished }, text),
  );
}
