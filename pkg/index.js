// The package's entry: what a page imports. Importing it does nothing yet; `init()` fetches the wasm.
export { init as default, init } from "./src/loader.js";
export { ChatClient } from "./src/chat.js";
export { MarkdownStream } from "./src/markdown.js";
