// OpenAI's Chat Completions as a stream, from OpenAI or any server that is compatible with it.
import { coded } from "../src/error.js";
import { Parts, errorWords, parsed, post, resolve, serverSentEvents } from "./http.js";

/**
 * A transport for `new ChatClient({ root, transport })`. The key belongs on a server: give a `url` of your own that adds
 * it.
 */
export function openAI({ url, model, headers, credentials, body, fetch }) {
  return {
    async *send({ turns, options, signal }) {
      const request = {
        model: options.model ?? model,
        messages: turns.map(({ role, content }) => ({ role, content })),
        stream: true,
        temperature: options.temperature,
        top_p: options.topP,
        max_tokens: options.maxTokens,
        ...(await resolve(body)),
      };
      const response = await post(url, { fetch, headers, credentials, body: request, signal });
      yield* readOpenAI(response);
    },
  };
}

/** The events of one response that was fetched by the page itself. Throws when the stream fails or breaks off. */
export async function* readOpenAI(response) {
  if (response.headers.get("content-type")?.includes("application/json")) {
    // A server that does not stream answers whole.
    yield* whole(await response.json());
    return;
  }
  const parts = new Parts();
  let ended = false;
  for await (const data of serverSentEvents(response)) {
    if (data === "[DONE]") {
      return;
    }
    const chunk = parsed(data);
    if (chunk.error !== undefined && chunk.error !== null) {
      throw coded("provider_failed", errorWords(chunk));
    }
    const choice = chunk.choices?.[0];
    if (choice === undefined) {
      // A last chunk with nothing but the usage.
      continue;
    }
    yield* pieces(parts, choice.delta ?? {});
    ended ||= typeof choice.finish_reason === "string";
  }
  if (!ended) {
    throw coded("provider_truncated", "the stream ended in the middle of the answer");
  }
}

function* whole(completion) {
  if (completion.error !== undefined && completion.error !== null) {
    throw coded("provider_failed", errorWords(completion));
  }
  const message = completion.choices?.[0]?.message;
  if (message === undefined) {
    throw coded("provider_malformed", "the answer has no message");
  }
  yield* pieces(new Parts(), message);
}

/** Text, refusals, tool calls; and reasoning as DeepSeek, vLLM and others send it beside the text. */
function* pieces(parts, delta) {
  const reasoning = delta.reasoning_content ?? delta.reasoning;
  if (typeof reasoning === "string" && reasoning !== "") {
    yield parts.chunk("reasoning", { kind: "reasoning" }, reasoning);
  }
  if (typeof delta.content === "string" && delta.content !== "") {
    yield parts.chunk("text", {}, delta.content);
  }
  if (typeof delta.refusal === "string" && delta.refusal !== "") {
    yield parts.chunk("refusal", { kind: "refusal" }, delta.refusal);
  }
  for (const [at, call] of (delta.tool_calls ?? []).entries()) {
    const info = { kind: "tool_call", name: call.function?.name };
    yield parts.chunk(`tool${call.index ?? at}`, info, call.function?.arguments ?? "");
  }
}
