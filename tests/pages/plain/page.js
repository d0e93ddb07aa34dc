// A page that starts the package when the test says so, from where it says, and keeps every event.
import init, { ChatClient, MarkdownStream } from "./riacho/index.js";

globalThis.events = [];

/** The memory of each module, by the name of its file: a test may ruin it. */
globalThis.memories = {};
const { instantiateStreaming } = WebAssembly;
WebAssembly.instantiateStreaming = async (response, imports) => {
  const made = await instantiateStreaming(response, imports);
  memories[response.url.split("/").at(-1)] = made.instance.exports.memory;
  return made;
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
