// Who wants to hear of what. Events wait until the stack has unwound: a listener may call back.
import { coded } from "./error.js";

export class Events {
  #listeners = new Map();
  #queue = [];

  /** Calls `listener` for each event of a type, or of every type (`"*"`). Returns the function that ends it. */
  on(type, listener) {
    if (typeof listener !== "function") {
      throw coded("bad_listener", "on(type, listener) needs a function");
    }
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listener));
    return () => {
      listeners.delete(listener);
    };
  }

  emit(event) {
    if (this.#queue.push(event) === 1) {
      queueMicrotask(() => this.#dispatch());
    }
  }

  #dispatch() {
    const events = this.#queue;
    this.#queue = [];
    for (const event of events) {
      for (const type of [event.type, "*"]) {
        for (const listener of [...(this.#listeners.get(type) ?? [])]) {
          try {
            listener(event);
          } catch (error) {
            // One listener's fault is nobody else's; the page hears of it as of any uncaught error.
            reportError(error);
          }
        }
      }
    }
  }
}
