// Everything a strict TypeScript project touches, as its author would write it. It is compiled and never run.
import init, { ChatClient, MarkdownStream, type ChatEvent, type RiachoError, type Transport } from "riacho";
import { aiSDK, readUIMessageStream } from "riacho/adapters/ai-sdk";
import { openAI, readOpenAI } from "riacho/adapters/openai";
import { socketIO } from "riacho/adapters/socket-io";
import { Recorder, replay, type Recording } from "riacho/debug";
import start, { MarkdownStream as Rendered, type InitOptions, type MarkdownStreamOptions } from "riacho/markdown";
import { RiachoChat, define } from "riacho/element";
import { Markdown, useChat } from "riacho/react";
import { useRef } from "react";
import { io } from "socket.io-client";

const started = await init({ core: new URL("https://example.org/riacho_bg.wasm"), fallback: "plain" });
if (started.mode === "plain") {
  const code: string = started.error.code;
  console.log(code);
}

const rendering: InitOptions = { core: "/riacho_bg.wasm", sanitizer: "/riacho_sanitizer_bg.wasm", fallback: "none" };
await start(rendering);

const root = document.createElement("div");
const alone: MarkdownStreamOptions = { images: ["self"] };
// One class, by whichever entry.
const rendered: MarkdownStream = new Rendered(root, alone);
await rendered.end();
const transport: Transport = {
  async *send({ turns, signal }) {
    const response = await fetch("/answer", { method: "POST", body: JSON.stringify(turns), signal });
    yield response.statusText;
    yield { type: "message_chunk", kind: "reasoning", part: 1, content: "…" };
  },
};
const chat = new ChatClient({ root, transport });
const off: () => void = chat.on("status", (event) => {
  const reason: "stopped" | "restart" | "unread" | undefined = event.reason;
  const seconds: number | undefined = event.error?.retryAfter;
  console.log(event.messageId, reason, seconds);
});
off();
chat.on("*", (event: ChatEvent) => {
  switch (event.type) {
    case "connection":
      console.log(event.retryInMs?.toFixed());
      break;
    case "degraded":
      console.log(event.code);
      break;
    default:
      console.log(event.type);
  }
});
// @ts-expect-error there is no such event
chat.on("shout", () => {});
const { replyId } = chat.send("Olá", { temperature: 0.2, maxTokens: 100 });
chat.stop(replyId);
chat.handle({ type: "message_chunk", message_id: replyId, content: "x", chunk_number: 1 });
for (const { role, content } of chat.messages()) {
  console.log(role === "assistant", content.length);
}

new ChatClient({ root, transport: openAI({ url: "/v1/chat/completions", headers: async () => ({ authorization: "…" }) }) });
new ChatClient({ root, transport: aiSDK({ api: "/api/chat", body: { tenant: 7 } }) });
new ChatClient({ root, transport: socketIO(io("/chat"), { send: (socket, { content }) => socket.emit("say", content) }) });
for await (const event of readOpenAI(new Response(""))) {
  console.log(event.content?.length);
}
for await (const event of readUIMessageStream(new Response(""))) {
  console.log(event.kind);
}

const stream = new MarkdownStream(root, { images: ["self"], onDegraded: (error: RiachoError) => console.log(error.code) });
stream.push("**x**");
await stream.end();

const recorder = new Recorder({ redact: true, limit: 1_000_000 });
new MarkdownStream(root, { recorder });
const recording: Recording = recorder.recording();
const { client, finished, stop } = replay(recording, root, { speed: Infinity, onentry: ({ at, input }) => console.log(at, input) });
await finished;
stop();
console.log(client instanceof ChatClient ? client.debug().mounted : client.text);

define("my-chat");
const element: RiachoChat = document.createElement("riacho-chat");
element.labels = { send: "Enviar" };
element.options = { window: 40, pace: 80, words: { stopped: "Parado.", load_image: "Carregar de {host}" } };
element.addEventListener("riacho-status", (event) => console.log(event.detail.status));
element.addEventListener("riacho-chunk", ({ detail }) => console.log(detail.inCode satisfies boolean, detail.language?.length));
element.addEventListener("riacho-block_failed", ({ detail }) => console.log(detail.language.length));
// @ts-expect-error a status has no text
element.addEventListener("riacho-status", (event) => console.log(event.detail.text));

export function Long() {
  const scroller = useRef<HTMLDivElement>(null);
  const { ref } = useChat({ url: "/ws", window: 40, scroller, pace: 80, words: { waiting: "{provider} espera.", provider_failed: "Falhou." } });
  return (
    <div ref={scroller}>
      <div ref={ref} />
      <Markdown text="![x](y.png)" words={{ load_image: "Carregar de {host}" }} />
    </div>
  );
}

export function Page() {
  const { ref, messages, status, send, stop, error, conversationId } = useChat({ url: "/ws", token: async () => "…" });
  return (
    <main>
      <div ref={ref} />
      <p>{`${messages.length} ${status} ${error?.code ?? ""} ${conversationId?.length}`}</p>
      <button onClick={() => send("Olá")}>Send</button>
      <button onClick={() => stop()}>Stop</button>
      <Markdown text="**um**" done={false} className="answer" aria-live="off" />
    </main>
  );
}
