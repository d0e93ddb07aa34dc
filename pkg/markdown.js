// The entry `riacho/markdown`: what renders text, and nothing of the chat. The same functions as `riacho` has.
export { MarkdownStream, init as default, init } from "./src/core.js";
