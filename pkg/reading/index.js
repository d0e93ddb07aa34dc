// `riacho/reading`: follow the end of a chat, keep elements for what is near, and say it aloud. It needs a `ChatClient` only.
export { announce } from "./announce.js";
export { followEnd } from "./follow.js";
export { readable } from "./readable.js";
export { windowed } from "./window.js";
