// Only the renderer: nothing of the chat may come with it.
import init, { MarkdownStream } from "riacho/markdown";

await init();
const markdown = new MarkdownStream(document.getElementById("answer"));
globalThis.write = (text) => {
  markdown.push(text);
  return markdown.end();
};
