// What pages do today: the whole answer parsed, sanitised and replaced at every chunk.
import DOMPurify from "dompurify";
import { marked } from "marked";

export function create(container) {
  let text = "";
  const show = () => {
    container.innerHTML = DOMPurify.sanitize(marked.parse(text));
  };
  return { push: (chunk) => { text += chunk; show(); }, end: show };
}
