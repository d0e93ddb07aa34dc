// A transport of the page's own: asks it for each answer, and hands over what it brings.
import { coded } from "./error.js";

/** The answers that are on their way, one run each. */
export class Courier {
  #transport;
  #handle;
  #end;
  #runs = new Map();

  /**
   * @param transport has `send(request)`, and `start(handle)` where events come by themselves
   * @param handle takes one event
   */
  constructor(transport, handle) {
    if (typeof transport.send !== "function") {
      throw coded("bad_transport", "a transport has send(request)");
    }
    this.#transport = transport;
    this.#handle = handle;
    this.#end = transport.start?.(handle);
  }

  /** Asks for one answer. What goes wrong becomes a `stream_error` of that answer. */
  run(request) {
    const abort = new AbortController();
    this.#runs.get(request.replyId)?.abort();
    this.#runs.set(request.replyId, abort);
    this.#deliver({ ...request, signal: abort.signal });
  }

  /** The reader has stopped it: the request is given up. */
  stop(replyId) {
    this.#runs.get(replyId)?.abort();
    this.#runs.delete(replyId);
  }

  /** It has ended by itself. */
  ended(replyId) {
    this.#runs.delete(replyId);
  }

  close() {
    this.#end?.();
    this.#runs.forEach((abort) => abort.abort());
    this.#runs.clear();
  }

  async #deliver(request) {
    const { conversationId: conversation_id, replyId: message_id, signal } = request;
    const about = { conversation_id, message_id };
    try {
      const answer = await this.#transport.send(request);
      if (answer?.[Symbol.asyncIterator] === undefined) {
        // Its events come through `start`.
        return;
      }
      for await (const piece of answer) {
        if (signal.aborted) {
          return;
        }
        const event = typeof piece === "string" ? { type: "message_chunk", content: piece } : piece;
        this.#handle({ ...about, ...event });
      }
      if (!signal.aborted) {
        this.#handle({ type: "response_complete", ...about });
      }
    } catch (error) {
      if (!signal.aborted) {
        const { code = "provider_failed", retryAfter } = error ?? {};
        const message = String(error?.message ?? error);
        this.#handle({ type: "stream_error", ...about, code: String(code), message, retry_after: retryAfter });
      }
    }
  }
}
