// The same of the whole package: what is not imported is left out by the tool.
import init, { MarkdownStream } from "riacho";

await init();
const markdown = new MarkdownStream(document.getElementById("answer"));
globalThis.write = (text) => {
  markdown.push(text);
  return markdown.end();
};
