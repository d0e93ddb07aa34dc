// What would be lost with the wasm, kept small; and what is asked of a client between its death and what comes after.
import { uuid } from "./uuid.js";

const MOST_OVER = 1_000;

export class Takeover {
  #url;
  /** Ended, on a transport of the page's own: a replay of these is not kept. */
  #over = new Set();
  conversationId;
  /** Sent, and not known to have arrived; a relay takes a second send of the same ids for the same message. */
  outbox = new Map();
  /** What a page's own transport brought of answers that have not ended: nobody would bring it again. */
  live = new Map();

  constructor(url) {
    this.#url = url;
  }

  opened(conversationId) {
    this.conversationId = conversationId;
  }

  sent({ messageId, replyId, content, options }) {
    const { conversationId } = this;
    this.outbox.set(replyId, { conversationId, messageId, replyId, content, options });
  }

  /** The client has said the end of it: all of it is on the page. */
  ended(messageId) {
    this.outbox.delete(messageId);
    this.live.delete(messageId);
    if (this.#url !== undefined) {
      // A relay has it, and nothing of it is kept here.
      return;
    }
    this.#over.add(messageId);
    if (this.#over.size > MOST_OVER) {
      this.#over.delete(this.#over.values().next().value);
    }
  }

  /** It starts over. */
  begun(messageId) {
    this.#over.delete(messageId);
  }

  handled(event) {
    if (this.#url !== undefined) {
      return;
    }
    const id = event.message_id ?? event.messageId;
    if (this.#over.has(id)) {
      return;
    }
    const entry = this.live.get(id) ?? { event, text: [] };
    this.live.set(id, entry);
    if (event.type === "message_chunk") {
      const number = event.chunk_number ?? event.chunkNumber;
      if (number <= entry.number) {
        return;
      }
      entry.number = number;
      entry.event = event;
      entry.text = kept(entry.text, event);
    } else if (event.type !== "message_started") {
      entry.end = event;
    }
  }

  /** Takes calls until there is something to give them to. */
  begin() {
    return new Waiting();
  }
}

/** Text of parts that are shown. Many small strings cost more than their characters: they are joined now and then. */
function kept(text, { content, chunk, delta, text: words, kind = "text" }) {
  if (kind === "text" || kind === "refusal") {
    text.push(content ?? chunk ?? delta ?? words ?? "");
  }
  return text.length < 256 ? text : [text.join("")];
}

class Waiting {
  #calls = [];
  conversationId;
  containers = 0;
  window = [0, 0, 0];

  send(content, options) {
    const ids = [uuid(), uuid()];
    this.#calls.push(["send", content, options, ids]);
    return ids;
  }

  open(conversationId) {
    this.conversationId = conversationId;
    this.#calls.push(["open", conversationId]);
  }

  messages() {
    return [];
  }

  text() {
    return undefined;
  }

  parts() {
    return undefined;
  }

  loadOlder() {
    return false;
  }

  setWindow() {}

  setPace() {}

  setWords() {}

  debug() {
    return '{"connection":"idle","conversationId":null,"rooms":[],"messages":[],"mounted":0,"outbox":0}';
  }

  replay(target) {
    for (const [name, ...args] of this.#calls) {
      target[name](...args);
    }
  }

  static {
    for (const name of [
      "stop", "pause", "resume", "retry", "handle", "listConversations", "rename", "setClosed", "close", "free",
    ]) {
      this.prototype[name] = function (...args) {
        this.#calls.push([name, ...args]);
      };
    }
  }
}
