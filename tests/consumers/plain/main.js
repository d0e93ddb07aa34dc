// No bundler: the package as it lies in node_modules.
import init, { ChatClient } from "/node_modules/riacho/index.js";

await init();
const chat = new ChatClient({ url: "/ws", root: document.querySelector("#log"), storageKey: null });
chat.open("01990000-0000-7000-8000-000000000001");
globalThis.chat = chat;
