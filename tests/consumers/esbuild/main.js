// esbuild leaves `new URL(…, import.meta.url)` alone: the wasm is told by explicit URLs, from its `file` loader.
import init, { ChatClient } from "riacho";
import core from "riacho/riacho_bg.wasm";
import client from "riacho/riacho_client_bg.wasm";
import sanitizer from "riacho/riacho_sanitizer_bg.wasm";
import "riacho/riacho.css";

const at = (file) => new URL(file, import.meta.url);
await init({ core: at(core), client: at(client), sanitizer: at(sanitizer) });
const chat = new ChatClient({ url: "/ws", root: document.getElementById("log"), storageKey: null });
chat.open("01990000-0000-7000-8000-000000000001");
globalThis.chat = chat;
