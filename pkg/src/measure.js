// Marks for the browser's performance tools, where the page asks for them: how long an answer took to begin, and to end.

export class Measures {
  #sent = new Map();

  /** An answer was asked for. */
  sent(messageId) {
    this.#sent.set(messageId, { start: performance.now(), begun: false });
  }

  /** `riacho first text` and `riacho answer`, each with the answer's id as its detail. */
  event({ type, messageId, status }) {
    const sent = this.#sent.get(messageId);
    if (sent === undefined) {
      return;
    }
    if (type === "chunk" && !sent.begun) {
      sent.begun = true;
      performance.measure("riacho first text", { start: sent.start, detail: { messageId } });
    } else if (type === "status" && status !== "pending" && status !== "streaming") {
      this.#sent.delete(messageId);
      performance.measure("riacho answer", { start: sent.start, detail: { messageId, status } });
    }
  }
}
