// A page whose transport is the test: it starts the package and leaves the rest to whoever drives it.
import init, { ChatClient, MarkdownStream } from "./riacho/index.js";

await init();
globalThis.riacho = { ChatClient, MarkdownStream };
