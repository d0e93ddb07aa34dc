// A block that a function of the page's has taken over: it gets the text so far and an element of its own.

/**
 * Calls the page's function at most once a frame, never while it is still at work, and never in the midst of the engine's
 * work. The source stays in the DOM, hidden.
 */
export class Custom {
  #source;
  #language;
  #take;
  #emit;
  #element;
  /** Keeps the text of a formula, which has no element of its own to hide. */
  #cover;
  #finished = false;
  #settled = false;
  /** Why the last call came to nothing. */
  #failure;
  #shown;
  #cleanup;
  #state = "idle";
  #left = false;

  constructor(source, language, take, emit) {
    this.#source = source;
    this.#language = language;
    this.#take = take;
    this.#emit = emit;
  }

  /** `settled` says that the text will not change any more. A formula is whole all the time: it is one as it is closed. */
  update(settled) {
    this.#settled ||= settled;
    this.#finished ||= settled || this.#source.localName !== "code";
    this.#ask();
    this.#report();
  }

  leave() {
    this.#left = true;
    queueMicrotask(() => this.#clean());
  }

  #ask() {
    if (this.#state !== "idle" || this.#left || this.#now() === this.#shown) {
      return;
    }
    this.#state = "asked";
    frame(() => this.#call());
  }

  /** What the function would be told: another call with the same is none. */
  #now() {
    return `${this.#finished}${this.#text()}`;
  }

  /** The source alone. In a formula the page's element stands beside it. */
  #text() {
    const own = (node) => node !== this.#element;
    return [...this.#source.childNodes].filter(own).map((node) => node.textContent).join("");
  }

  async #call() {
    if (this.#left) {
      return;
    }
    this.#state = "busy";
    this.#shown = this.#now();
    const isCode = this.#source.localName === "code";
    const block = {
      text: this.#text(),
      finished: this.#finished,
      language: this.#language,
      display: isCode || this.#source.classList.contains("math-display"),
      element: this.#place(),
      messageId: this.#source.closest("[data-message-id]")?.dataset.messageId,
    };
    try {
      this.#clean();
      const cleanup = await this.#take(block);
      this.#cleanup = typeof cleanup === "function" ? cleanup : undefined;
      this.#failure = undefined;
      this.#show(true);
    } catch (cause) {
      const { language, messageId } = block;
      this.#failure = { type: "block_failed", language, messageId, message: String(cause?.message ?? cause) };
      this.#show(false);
    }
    this.#state = "idle";
    this.#report();
    if (this.#left) {
      this.#clean();
    } else {
      this.#ask();
    }
  }

  /** Half a diagram is no diagram: while text is still coming, the source is shown and nothing is wrong. */
  #report() {
    if (this.#failure !== undefined && this.#settled && this.#state === "idle") {
      this.#emit(this.#failure);
      this.#failure = undefined;
    }
  }

  #clean() {
    const cleanup = this.#cleanup;
    this.#cleanup = undefined;
    try {
      cleanup?.();
    } catch (error) {
      reportError(error);
    }
  }

  /** The page's element, where it will be seen. It belongs to no text, and the engine never goes into it. */
  #place() {
    const source = this.#source;
    const isCode = source.localName === "code";
    if (this.#element === undefined) {
      this.#element = source.ownerDocument.createElement(isCode ? "div" : "span");
      this.#element.className = "riacho-block";
      this.#element.setAttribute("data-riacho-ui", "");
    }
    if (isCode) {
      source.after(this.#element);
    } else {
      source.append(this.#element);
    }
    this.#element.hidden = false;
    return this.#element;
  }

  /** Either the page's element is seen, or the source. */
  #show(own) {
    const source = this.#source;
    this.#element.hidden = !own;
    if (source.localName === "code") {
      source.hidden = own;
      return;
    }
    // The nodes stay the same, so the engine still knows them.
    this.#cover ??= source.ownerDocument.createElement("span");
    this.#cover.hidden = own;
    const texts = [...source.childNodes].filter((node) => node !== this.#cover && node !== this.#element);
    this.#cover.append(...texts);
    source.prepend(this.#cover);
  }
}

/** The next frame; while the page is hidden there are none, and a timer does it. */
function frame(call) {
  if (document.visibilityState === "hidden") {
    setTimeout(call, 100);
  } else {
    requestAnimationFrame(call);
  }
}
