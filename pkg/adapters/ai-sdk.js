// The AI SDK's UI message stream (version 5 and later): a route that ends in `toUIMessageStreamResponse()`.
import { coded } from "../src/error.js";
import { Parts, parsed, post, resolve, serverSentEvents } from "./http.js";

/** A transport for `new ChatClient({ root, transport })`: asks as the SDK's own `DefaultChatTransport` does. */
export function aiSDK({ api = "/api/chat", headers, credentials, body, fetch } = {}) {
  return {
    async *send({ conversationId, turns, replyId, trigger, epoch, signal }) {
      const messages = turns.map(({ messageId: id, role, content }) => ({
        id,
        role,
        parts: [{ type: "text", text: content }],
      }));
      const request = {
        ...(await resolve(body)),
        id: conversationId,
        messages,
        trigger: trigger === "retry" ? "regenerate-message" : "submit-message",
        messageId: trigger === "retry" ? replyId : undefined,
      };
      const response = await post(api, { fetch, headers, credentials, body: request, signal });
      yield* readUIMessageStream(response, { epoch });
    },
  };
}

/** The events of one response that was fetched by the page itself. Throws when the stream fails or breaks off. */
export async function* readUIMessageStream(response, { epoch = 0 } = {}) {
  let parts = new Parts();
  /** What was said before the step that runs: a step that is reset takes back only its own. */
  let kept = [];
  let step = [];
  let ended = false;
  for await (const data of serverSentEvents(response)) {
    if (data === "[DONE]") {
      break;
    }
    const chunk = parsed(data);
    switch (chunk.type) {
      case "start-step":
        kept = kept.concat(step);
        step = [];
        break;
      case "reset-step": {
        epoch += 1;
        parts = new Parts();
        step = [];
        yield { type: "message_started", epoch };
        for (const [key, info, text] of kept) {
          yield parts.chunk(key, info, text);
        }
        break;
      }
      case "error":
        throw coded("provider_failed", String(chunk.errorText));
      case "abort":
        throw coded("provider_truncated", chunk.reason ?? "the server gave the answer up");
      case "finish":
        ended = true;
        break;
      default: {
        const piece = read(chunk);
        if (piece !== undefined) {
          step.push(piece);
          yield parts.chunk(...piece);
        }
      }
    }
  }
  if (!ended) {
    throw coded("provider_truncated", "the stream ended in the middle of the answer");
  }
}

/** Key, description and text of a chunk that brings text; parts that a page shows by other means are left to it. */
function read(chunk) {
  switch (chunk.type) {
    case "text-delta":
      return [`text ${chunk.id}`, {}, chunk.delta];
    case "reasoning-delta":
      return [`reasoning ${chunk.id}`, { kind: "reasoning" }, chunk.delta];
    case "tool-input-start":
      return [`tool ${chunk.toolCallId}`, { kind: "tool_call", name: chunk.toolName }, ""];
    case "tool-input-delta":
      return [`tool ${chunk.toolCallId}`, { kind: "tool_call" }, chunk.inputTextDelta];
    default:
      return undefined;
  }
}
