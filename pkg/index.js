// The package's entry: what a page imports. Importing it does nothing yet; `init()` fetches the wasm.
export { MarkdownStream, init as default, init } from "./src/core.js";
export { ChatClient } from "./src/chat.js";
