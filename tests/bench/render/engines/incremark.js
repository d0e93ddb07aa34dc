// incremark commits blocks at stable borders and parses the pending one again.
import { IncremarkContent } from "@incremark/react";
import { createElement, inReact } from "./react.js";

export function create(container) {
  return inReact(container, (content, isFinished) => createElement(IncremarkContent, { content, isFinished }), {
    settle: true,
  });
}
