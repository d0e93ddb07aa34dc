// `riacho/reading`: follow the end of a chat, and say it aloud. It needs no wasm and no relay, only a `ChatClient`'s events.
export { announce } from "./announce.js";
export { followEnd } from "./follow.js";
