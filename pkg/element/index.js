// <riacho-chat>: a whole chat as one element. Messages are the element's own children, so the page's styles and a
// server's markup reach them; what stands around them is in its shadow.
import { init } from "../src/loader.js";
import { ChatClient } from "../src/chat.js";
import { uuid } from "../src/uuid.js";
import { followEnd } from "../reading/follow.js";
import { readable } from "../reading/readable.js";
import { sheet } from "./style.js";

/** Where there is no DOM the module can be imported all the same. */
const Base = globalThis.HTMLElement ?? class {};

const LABELS = {
  messages: "Messages",
  message: "Message",
  placeholder: "Ask something",
  send: "Send",
  stop: "Stop",
  answering: "Answering…",
  answered: "Answer complete.",
  failed: "The answer could not be finished.",
  offline: "Connection lost; trying again.",
  plain: "Text is shown without formatting.",
  user: "You",
  assistant: "Answer",
  done: "done",
  open: "to do",
};

export class RiachoChat extends Base {
  static observedAttributes = ["conversation"];

  #options = {};
  #labels = {};
  #chat;
  #ready;
  #starts = 0;
  #parts;
  #isPlain = false;
  #live = new Set();
  #end;
  /** Ends what goes with a client: following, older messages, the window. */
  #with = [];

  constructor() {
    super();
    // What a page has set on the tag before this module was there lies over the accessors of the class.
    for (const name of ["options", "labels"]) {
      if (Object.hasOwn(this, name)) {
        const value = this[name];
        delete this[name];
        this[name] = value;
      }
    }
  }

  /** `transport`, `token`, `images`, and whatever else `ChatClient` takes. `pace` and `words` may change later. */
  get options() {
    return this.#options;
  }

  set options(options) {
    this.#options = options ?? {};
    this.#chat?.setPace(this.#options.pace);
    this.#chat?.setWords(this.#options.words ?? {});
  }

  /** Words of the controls, for other languages. */
  get labels() {
    return this.#labels;
  }

  set labels(labels) {
    this.#labels = labels ?? {};
    this.#name();
  }

  /** The client, once it is there: `await element.ready`. */
  get chat() {
    return this.#chat;
  }

  get ready() {
    this.#ready ??= this.#start();
    return this.#ready;
  }

  connectedCallback() {
    this.#parts ??= this.#build();
    this.#name();
    this.ready.catch((error) => this.#say(error.message));
  }

  disconnectedCallback() {
    // Moved within the page it is connected again by the time this runs.
    queueMicrotask(() => {
      if (!this.isConnected) {
        this.#chat?.close();
        this.#with.splice(0).forEach((stop) => stop());
        this.#chat = undefined;
        this.#end = undefined;
        this.#ready = undefined;
        this.#live.clear();
      }
    });
  }

  attributeChangedCallback(_name, before, now) {
    if (now !== null && now !== before) {
      this.#chat?.open(now);
    }
  }

  async #start() {
    this.#starts += 1;
    const start = this.#starts;
    await init();
    // Asked only now: the script that brings this module says what it wants right behind it.
    const isLong = this.#options.window !== undefined;
    const reading = isLong ? await import("../reading/window.js") : undefined;
    if (start !== this.#starts) {
      return undefined;
    }
    if (!this.isConnected) {
      // Asked for too early: being connected starts it.
      this.#ready = undefined;
      return undefined;
    }
    const { log, scroller } = this.#parts;
    const url = this.getAttribute("src") ?? undefined;
    const chat = new ChatClient({ root: log, ...(url === undefined ? {} : { url }), ...this.#options });
    this.#chat = chat;
    chat.on("*", (event) => {
      this.#on(event);
      this.dispatchEvent(new CustomEvent(`riacho-${event.type}`, { detail: event, bubbles: true, composed: true }));
    });
    const words = {};
    for (const name of ["user", "assistant", "done", "open"]) {
      Object.defineProperty(words, name, { get: () => this.#label(name) });
    }
    this.#with.push(readable({ root: log, words }));
    const conversation = this.getAttribute("conversation") ?? chat.conversationId ?? uuid();
    chat.open(conversation);
    this.#end = followEnd(scroller, { root: log });
    const older = () => scroller.scrollTop < scroller.clientHeight && chat.loadOlder();
    scroller.addEventListener("scroll", older, { passive: true });
    this.#with.push(() => scroller.removeEventListener("scroll", older), this.#end.stop);
    if (isLong) {
      this.#with.push(reading.windowed(chat, { scroller, root: log }));
    }
    return chat;
  }

  #on(event) {
    const { status, stop, input } = this.#parts;
    const label = (name) => this.#label(name);
    switch (event.type) {
      case "message":
        if (event.role === "assistant") {
          this.#live.add(event.messageId);
          status.textContent = label("answering");
        }
        break;
      case "status":
        if (event.status !== "pending" && event.status !== "streaming" && this.#live.delete(event.messageId)) {
          // Said once, at the end: nobody wants to hear every token.
          status.textContent = label(event.status === "error" ? "failed" : "answered");
        }
        break;
      case "connection":
        this.#say(event.state === "waiting" ? label("offline") : "");
        break;
      case "degraded":
        // Without a socket answers come whole, and formatted.
        this.#isPlain ||= event.code !== "streaming_unavailable";
        this.#say("");
        break;
      case "error":
        this.#say(event.message);
        break;
      default:
    }
    const isIdle = this.#mine().length === 0;
    if (isIdle && this.shadowRoot.activeElement === stop) {
      // A button that goes would take the focus with it.
      input.focus();
    }
    stop.hidden = isIdle;
  }

  /** Answers that stream in the conversation on screen. */
  #mine() {
    const messages = this.#chat?.messages() ?? [];
    return messages.filter(({ messageId }) => this.#live.has(messageId)).map(({ messageId }) => messageId);
  }

  #send() {
    const { input } = this.#parts;
    try {
      this.#chat?.send(input.value);
      input.value = "";
      this.#say("");
      this.#end?.toEnd();
    } catch (error) {
      if (error.code !== "content_empty") {
        this.#say(error.message);
      }
    }
    input.focus();
  }

  #label(name) {
    return this.#labels[name] ?? LABELS[name];
  }

  /** Gives the controls their names. */
  #name() {
    if (this.#parts === undefined) {
      return;
    }
    const { scroller, input, send, stop } = this.#parts;
    scroller.setAttribute("aria-label", this.#label("messages"));
    input.setAttribute("aria-label", this.#label("message"));
    input.placeholder = this.#label("placeholder");
    send.textContent = this.#label("send");
    stop.textContent = this.#label("stop");
  }

  /** What went wrong last, or goes on being wrong. */
  #say(words) {
    const { notice } = this.#parts;
    const all = words === "" && this.#isPlain ? this.#label("plain") : words;
    if (notice.textContent !== all) {
      notice.textContent = all;
    }
    notice.hidden = all === "";
  }

  #build() {
    const shadow = this.attachShadow({ mode: "open", delegatesFocus: true });
    shadow.adoptedStyleSheets = [sheet()];
    const make = (tag, part, attributes = {}) => {
      const element = document.createElement(tag);
      element.setAttribute("part", part);
      for (const [name, value] of Object.entries(attributes)) {
        element.setAttribute(name, value);
      }
      return element;
    };
    // A live region would be read out token by token: the status says what there is to say.
    const scroller = make("div", "log", { role: "log", "aria-live": "off", tabindex: "0" });
    scroller.append(document.createElement("slot"));
    const status = make("p", "status", { role: "status" });
    const notice = make("p", "notice", { role: "alert", hidden: "" });
    const form = make("form", "composer");
    const input = make("textarea", "input", { rows: "2" });
    const send = make("button", "button send", { type: "submit" });
    const stop = make("button", "button stop", { type: "button", hidden: "" });
    form.append(input, stop, send);
    shadow.append(scroller, notice, form, status);

    // The button goes with what was wrong, and would take the focus with it.
    this.addEventListener("click", ({ target }) => target.closest(".message-retry") !== null && scroller.focus());
    stop.addEventListener("click", () => this.#mine().forEach((id) => this.#chat.stop(id)));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        this.#send();
      }
    });
    let log = [...this.children].find((child) => child.hasAttribute("data-riacho-log"));
    if (log === undefined) {
      log = document.createElement("div");
      log.setAttribute("data-riacho-log", "");
      // Conversations that a server rendered into the element.
      log.append(...this.querySelectorAll(":scope > [data-conversation-view]"));
      this.append(log);
    }
    return { log, scroller, status, notice, input, send, stop };
  }
}

/** Defines `<riacho-chat>`, unless the page has done so under this name. */
export function define(name = "riacho-chat") {
  if (globalThis.customElements !== undefined && customElements.get(name) === undefined) {
    customElements.define(name, RiachoChat);
  }
}

define();
