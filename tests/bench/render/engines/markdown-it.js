// The same with markdown-it.
import DOMPurify from "dompurify";
import MarkdownIt from "markdown-it";

export function create(container) {
  const md = new MarkdownIt({ html: true });
  let text = "";
  const show = () => {
    container.innerHTML = DOMPurify.sanitize(md.render(text));
  };
  return { push: (chunk) => { text += chunk; show(); }, end: show };
}
