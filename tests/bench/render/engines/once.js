// A limit: nothing until the end, then one innerHTML of the finished text.
import DOMPurify from "dompurify";
import { marked } from "marked";

export function create(container) {
  let text = "";
  return {
    push: (chunk) => { text += chunk; },
    end: () => { container.innerHTML = DOMPurify.sanitize(marked.parse(text)); },
  };
}
