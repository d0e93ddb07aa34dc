// One message: its append-only text, and how far it has come in bytes of UTF-8.

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class Log {
  epoch = 0;
  status = "pending";
  paused = false;
  acknowledged = false;
  ending;
  /** All text, and what of it is shown. */
  text = "";
  shown = "";
  length = 0;
  #kinds = [];
  #lastShown;
  #lastNumber = -1;

  constructor(id, conversationId, role) {
    this.id = id;
    this.conversationId = conversationId;
    this.role = role;
  }

  restart(epoch) {
    this.epoch = epoch;
    this.status = "pending";
    this.ending = undefined;
    this.text = "";
    this.shown = "";
    this.length = 0;
    this.#kinds = [];
    this.#lastShown = undefined;
    this.#lastNumber = -1;
  }

  describe(part, kind = "text") {
    this.#kinds[part] ??= kind;
  }

  kind(part) {
    return this.#kinds[part] ?? "text";
  }

  /** Chunks that are counted come again with the same number. */
  isReplay({ chunk_number, chunkNumber = chunk_number }) {
    if (chunkNumber === undefined) {
      return false;
    }
    const replayed = chunkNumber <= this.#lastNumber;
    this.#lastNumber = Math.max(chunkNumber, this.#lastNumber);
    return replayed;
  }

  /** Takes what is new of a chunk; `undefined` where something before it is missing. */
  append(offset, part, kind, content) {
    if (offset > this.length) {
      return undefined;
    }
    let bytes = encoder.encode(content);
    let rest = content;
    if (offset < this.length) {
      bytes = bytes.subarray(this.length - offset);
      rest = decoder.decode(bytes);
    }
    this.describe(part, kind);
    this.length += bytes.length;
    this.text += rest;
    if (rest !== "" && ["text", "refusal"].includes(this.kind(part))) {
      this.shown += (this.#lastShown ?? part) === part ? rest : `\n\n${rest}`;
      this.#lastShown = part;
    }
    return { text: rest, bytes: bytes.length };
  }
}
