// A route made with the AI SDK itself; its model is the SDK's own for tests.
import { convertToModelMessages, createUIMessageStream, pipeUIMessageStreamToResponse, streamText } from "ai";
import { MockLanguageModelV4 } from "ai/test";
import { json, pieces, serve, sleep } from "./serve.mjs";

const USAGE = { inputTokens: { total: 1 }, outputTokens: { total: 20 } };
const gone = [];

serve(async (request, response) => {
  if (request.url === "/gone") {
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(gone));
    return true;
  }
  if (request.url !== "/api/chat") {
    return false;
  }
  const { messages, trigger } = await json(request);
  const asked = messages.at(-1).parts.map((part) => part.text).join("");
  if (asked.includes("reset")) {
    resetting(response);
    return true;
  }
  const abort = new AbortController();
  response.on("close", () => {
    if (!response.writableEnded) {
      gone.push(asked);
      abort.abort();
    }
  });
  const result = streamText({
    model: model(asked, trigger),
    messages: await convertToModelMessages(messages),
    abortSignal: abort.signal,
    onError: () => {},
  });
  result.pipeUIMessageStreamToResponse(response, { onError: (error) => error.message });
  return true;
});

function model(asked, trigger) {
  return new MockLanguageModelV4({
    doStream: async ({ prompt, abortSignal }) => ({
      stream: ReadableStream.from(parts(asked, trigger, prompt, abortSignal)),
    }),
  });
}

async function* parts(asked, trigger, prompt, abortSignal) {
  yield { type: "stream-start", warnings: [] };
  if (asked.includes("think")) {
    yield { type: "reasoning-start", id: "r" };
    yield { type: "reasoning-delta", id: "r", delta: "primeiro penso" };
    yield { type: "reasoning-end", id: "r" };
  }
  yield { type: "text-start", id: "t" };
  if (asked.includes("turns")) {
    const turns = prompt.map(({ role, content }) => `${role}=${content.map((part) => part.text).join("")}`);
    yield { type: "text-delta", id: "t", delta: `${trigger}: ${turns.join("|")} ` };
  }
  for (const [at, delta] of pieces(asked.includes("long") ? 5_000 : 20).entries()) {
    if (abortSignal.aborted) {
      return;
    }
    if (at === 5 && asked.includes("fail")) {
      yield { type: "error", error: new Error("the model is overloaded") };
      return;
    }
    yield { type: "text-delta", id: "t", delta };
    await sleep(3);
  }
  yield { type: "text-end", id: "t" };
  yield { type: "finish", finishReason: { unified: "stop", raw: "stop" }, usage: USAGE };
}

/** A step that is taken back, as the SDK does when a step is tried again. */
function resetting(response) {
  const stream = createUIMessageStream({
    execute: ({ writer }) => {
      const say = (id, delta) => {
        writer.write({ type: "text-start", id });
        writer.write({ type: "text-delta", id, delta });
        writer.write({ type: "text-end", id });
      };
      writer.write({ type: "start" });
      writer.write({ type: "start-step" });
      say("1", "fica");
      writer.write({ type: "finish-step" });
      writer.write({ type: "start-step" });
      say("2", "vai embora");
      writer.write({ type: "reset-step" });
      say("3", "vem");
      writer.write({ type: "finish-step" });
      writer.write({ type: "finish" });
    },
  });
  pipeUIMessageStreamToResponse({ response, stream });
}
