// A page that starts the package when the test says so, from where it says, and keeps every event.
import init, { ChatClient, MarkdownStream } from "./riacho/index.js";

globalThis.events = [];

/** The core's memory, once it is there: a test may ruin it. */
const { instantiate } = WebAssembly;
WebAssembly.instantiate = async (module, imports) => {
  const instance = await instantiate(module, imports);
  if (WebAssembly.Module.imports(module).some((needed) => needed.module === "./riacho_bg.js")) {
    globalThis.coreMemory = instance.exports.memory;
  }
  return instance;
};

globalThis.load = async (source, options) => {
  const { mode, error } = await init(source);
  globalThis.stream = new MarkdownStream(document.getElementById("answer"), {
    onDegraded: ({ code }) => events.push({ type: "stream degraded", code }),
  });
  globalThis.chat = new ChatClient({ root: document.getElementById("root"), storageKey: null, ...options });
  chat.on("*", (event) => events.push(event));
  chat.open("01990000-0000-7000-8000-000000000001");
  return [mode, error?.code ?? null];
};
