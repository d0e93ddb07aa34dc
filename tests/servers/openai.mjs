// Chat Completions over SSE, in the shapes that OpenAI and those compatible with it send, cut anywhere on their way.
import { json, pieces, serve, sleep } from "./serve.mjs";

const gone = [];

const chunk = (delta, finish_reason = null) =>
  `data: ${JSON.stringify({
    id: "chatcmpl-1",
    object: "chat.completion.chunk",
    created: 1770933892,
    model: "gpt-test",
    choices: [{ index: 0, delta, logprobs: null, finish_reason }],
    usage: null,
  })}\n\n`;

serve(async (request, response) => {
  if (request.url === "/gone") {
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(gone));
    return true;
  }
  if (request.url !== "/v1/chat/completions") {
    return false;
  }
  const body = await json(request);
  const asked = body.messages.at(-1).content;
  response.on("close", () => !response.writableEnded && gone.push(asked));
  if (asked.includes("limit")) {
    const error = { error: { message: "Rate limit reached", type: "tokens", code: "rate_limit_exceeded" } };
    response.writeHead(429, { "content-type": "application/json", "retry-after": "7" }).end(JSON.stringify(error));
    return true;
  }
  if (asked.includes("whole")) {
    const message = { role: "assistant", content: "inteiro", refusal: null };
    const answer = { object: "chat.completion", choices: [{ index: 0, message, finish_reason: "stop" }] };
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
    return true;
  }
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
  await stream(response, asked, body);
  return true;
});

async function stream(response, asked, body) {
  const send = async (text) => {
    const bytes = Buffer.from(asked.includes("crlf") ? text.replaceAll("\n", "\r\n") : text);
    // Reads end anywhere: inside a line, inside a character.
    for (let at = 0; at < bytes.length; at += 37) {
      response.write(bytes.subarray(at, at + 37));
    }
    await sleep(3);
  };
  await send(": keep-alive\n\n");
  await send(chunk({ role: "assistant", content: "", refusal: null }));
  if (asked.includes("think")) {
    await send(chunk({ reasoning_content: "primeiro penso" }));
  }
  if (asked.includes("turns")) {
    await send(chunk({ content: body.messages.map(({ role, content }) => `${role}=${content}`).join("|") }));
  }
  for (const [at, content] of pieces(asked.includes("long") ? 5_000 : 20).entries()) {
    if (response.destroyed) {
      return;
    }
    if (at === 5 && asked.includes("fail")) {
      await send(`data: ${JSON.stringify({ error: { message: "the model is overloaded", type: "server_error" } })}\n\n`);
      response.end();
      return;
    }
    if (at === 5 && asked.includes("cut")) {
      response.write(chunk({ content }).slice(0, 40));
      response.destroy();
      return;
    }
    if (at === 5 && asked.includes("early")) {
      response.end();
      return;
    }
    await send(chunk({ content }));
  }
  await send(chunk({}, "stop"));
  await send(`data: ${JSON.stringify({ choices: [], usage: { prompt_tokens: 1, completion_tokens: 20 } })}\n\n`);
  await send("data: [DONE]\n\n");
  response.end();
}
