// What shows text without wasm: loaded only where there is no wasm to be had, or it died.
export { PlainChat } from "./chat.js";
export { PlainMarkdown } from "./markdown.js";
