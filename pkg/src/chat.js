// ChatClient: the wrapper around the core's client, as a page sees it.
import start, { Chat, onDeath } from "../dist/riacho_client.js";
import {
  Drawings, Events, allowImages, assertStarted, died, fetchSanitizer, isFatal, listed, live, loadPlain, needs, origin, plainNow,
  sanitizer, sayImages, trouble, watching,
} from "./core.js";
import { coded } from "./error.js";
import { Measures } from "./measure.js";
import { Courier } from "./transport.js";
import { Takeover } from "./takeover.js";

const CLIENT = needs("client", start, () => new URL("../dist/riacho_client_bg.wasm", import.meta.url), onDeath);

/** So often the socket fails before answers are asked for another way. */
const MOST_FAILURES = 3;

export class ChatClient {
  #inner;
  #root;
  #options;
  #courier;
  #events = new Events();
  #measures;
  #failures = 0;
  #told = false;
  #halves = new Map();
  /** What would be lost with the wasm. */
  #takeover;
  #forget;

  constructor(options) {
    assertStarted("ChatClient", CLIENT);
    if (!(options?.root instanceof Element)) {
      throw coded("bad_root", "ChatClient needs { root: element }");
    }
    if (options.url !== undefined && options.transport !== undefined) {
      throw coded("bad_transport", "a ChatClient has a url, a transport, or neither, not both");
    }
    this.#root = options.root;
    const url = options.url === undefined ? undefined : socketUrl(options.url);
    this.#options = {
      url,
      root: options.root,
      token: options.token,
      storageKey: options.storageKey === null ? undefined : (options.storageKey ?? `riacho:${url ?? "page"}`),
      sweepInterval: options.sweepInterval,
      sweepGrace: options.sweepGrace,
      window: options.window,
      // What is not counted does not leave the page: the core drops it.
      preferences: options.preferences === undefined ? undefined : JSON.stringify(options.preferences),
      emit: (json) => this.#hear(JSON.parse(json)),
    };
    this.#takeover = new Takeover(url);
    this.#measures = options.measure ? new Measures() : undefined;
    if (trouble() === undefined) {
      const images = listed(options.images);
      const makeWatch = watching(options, (event) => this.#hear(event));
      const emit = (json) => {
        // What is dead says nothing: what comes after it says it.
        if (trouble() === undefined) {
          this.#hear(JSON.parse(json));
        }
      };
      const make = (more) => new Chat({ ...this.#options, emit, drawings: drawn(images, makeWatch), ...more });
      this.#inner = options.recorder?.attach("chat", options, make) ?? make();
      this.#forget = live(this);
    } else {
      this.#inner = new (plainNow().PlainChat)(this.#options);
      this.#degraded(trouble());
    }
    if (options.pace !== undefined) {
      this.setPace(options.pace);
    }
    if (options.words !== undefined) {
      this.setWords(options.words);
    }
    if (options.transport !== undefined) {
      this.#courier = new Courier(options.transport, (event) => this.#inner !== undefined && this.handle(event));
      this.#giveUp(options.transport);
    }
  }

  /** Calls `listener` for each event of a type, or of every type (`"*"`). Returns the function that ends it. */
  on(type, listener) {
    return this.#events.on(type, listener);
  }

  /** Shows a conversation and joins it; the one before keeps streaming. */
  open(id) {
    if (typeof id !== "string") {
      throw coded("bad_id", `open(conversationId) needs a string, not ${typeof id}`);
    }
    this.#call((inner) => inner.open(id));
    this.#takeover.opened(id);
  }

  /** The conversation on screen. */
  get conversationId() {
    return this.#call((inner) => inner.conversationId);
  }

  /** The messages of a conversation, oldest first: of the one on screen, unless another is named. */
  messages(conversationId = this.conversationId) {
    const fields = conversationId === undefined ? [] : this.#call((inner) => inner.messages(String(conversationId)));
    const messages = [];
    for (let at = 0; at < fields.length; at += 4) {
      const [messageId, role, status, content] = fields.slice(at, at + 4);
      messages.push({ messageId, role, status, content });
    }
    return messages;
  }

  send(text, options = {}) {
    if (typeof text !== "string") {
      throw coded("bad_text", `send(content) needs a string, not ${typeof text}`);
    }
    const { temperature, topP } = options;
    const wanted = { ...options, temperature: decimal(temperature), topP: decimal(topP) };
    const [messageId, replyId] = this.#call((inner) => inner.send(text, wanted));
    this.#measures?.sent(replyId);
    this.#takeover.sent({ messageId, replyId, content: text, options: wanted });
    const question = { messageId, role: "user", status: "completed", content: text };
    this.#ask({ conversationId: this.conversationId, replyId, question, options, trigger: "send", epoch: 0 });
    return { messageId, replyId };
  }

  stop(messageId) {
    const id = String(messageId);
    this.#call((inner) => inner.stop(id));
    this.#courier?.stop(id);
  }

  pause(messageId) {
    this.#call((inner) => inner.pause(String(messageId)));
  }

  resume(messageId) {
    this.#call((inner) => inner.resume(String(messageId)));
  }

  retry(messageId) {
    this.#call((inner) => inner.retry(String(messageId)));
  }

  /** An event of a transport of the page's own. */
  handle(event) {
    if (event === null || typeof event !== "object") {
      throw coded("bad_frame", "handle(event) needs an object");
    }
    const whole = this.#whole(event);
    this.#call((inner) => inner.handle(JSON.stringify(whole)));
    this.#takeover.handled(whole);
  }

  /** Asks for `conversations` events, now and whenever the list changes. */
  listConversations() {
    this.#call((inner) => inner.listConversations());
  }

  rename(conversationId, title) {
    this.#call((inner) => inner.rename(String(conversationId), String(title)));
  }

  closeConversation(conversationId) {
    this.#call((inner) => inner.setClosed(String(conversationId), true));
  }

  reopenConversation(conversationId) {
    this.#call((inner) => inner.setClosed(String(conversationId), false));
  }

  /** Loads the images that wait, and those to come: of one message, of one origin, or all. */
  loadImages(options = {}) {
    const message = options.messageId === undefined ? undefined : String(options.messageId);
    const from = origin(options.origin);
    // Plain text has no images.
    this.#call(() => trouble() === undefined && allowImages(this.#root, message, from));
  }

  /** Fetches older messages of the conversation on screen; a `history` event follows. False when there is nothing to fetch. */
  loadOlder() {
    return this.#call((inner) => inner.loadOlder());
  }

  /** Which messages of the conversation on screen have an element, and how many there are. */
  get window() {
    const [start, end, count] = this.#call((inner) => inner.window);
    return { start, end, count };
  }

  /** Puts up and takes down elements, for a client that was made with `window`. */
  setWindow({ start, end }) {
    this.#call((inner) => inner.setWindow(Number(start), Number(end)));
  }

  /** Shows at most so many characters of an answer a second; `undefined` as they come. */
  setPace(charactersPerSecond) {
    this.#call((inner) => inner.setPace(charactersPerSecond ?? undefined));
  }

  /** What is said under answers, by code, and on the buttons of images that wait. */
  setWords(words) {
    const said = Object.entries(words).filter(([, sentence]) => typeof sentence === "string");
    this.#call((inner) => inner.setWords(said.flat()));
  }

  /** The parts of a message as they have come: text, reasoning, tool calls, refusals. */
  parts(messageId) {
    return JSON.parse(this.#call((inner) => inner.parts(String(messageId))) ?? "[]");
  }

  /** The raw text of a message, as far as it has come. */
  text(messageId) {
    return this.#call((inner) => inner.text(String(messageId)));
  }

  /** What streams, where, how many containers; plain data. */
  debug() {
    return this.#call((inner) => ({ ...JSON.parse(inner.debug()), containers: inner.containers }));
  }

  /** For good: the socket closes, the page stays as it is. Idempotent. */
  close() {
    if (this.#inner !== undefined) {
      this.#courier?.close();
      this.#call((inner) => inner.close());
      this.#call((inner) => inner.free());
      this.#inner = undefined;
      this.#forget?.();
    }
  }

  /** The wasm is dead: from here on everything is plain. Called by the package, once. */
  takeOver(error) {
    const dead = this.#inner;
    const waiting = this.#takeover.begin();
    this.#inner = waiting;
    this.#degraded(error);
    loadPlain().then(
      ({ PlainChat }) => {
        // Its socket, its timers and its listeners go, if there is life enough in it for that.
        try {
          dead.close();
          dead.free();
        } catch {
          // There was not.
        }
        if (this.#inner === waiting) {
          this.#inner = new PlainChat(this.#options, this.#takeover);
          waiting.replay(this.#inner);
        }
      },
      (cause) => reportError(cause),
    );
  }

  /** Where the socket has failed again and again, what was sent is answered whole, by HTTP. */
  #connection(state) {
    if (state === "open") {
      this.#failures = 0;
      this.#told = false;
    } else if (state === "waiting") {
      this.#failures += 1;
    }
    // Without a network there is no other way either.
    const asks = state === "waiting" && this.#failures >= MOST_FAILURES && navigator.onLine !== false;
    if (!asks || this.#takeover.outbox.size === 0) {
      return;
    }
    if (!this.#told) {
      this.#told = true;
      this.#degraded({ code: "streaming_unavailable", message: "no socket to the relay: answers come whole, by HTTP" });
    }
    const outbox = [...this.#takeover.outbox.values()];
    const answered = (event) => this.#inner !== undefined && this.handle(event);
    import("../plain/whole.js").then(
      ({ askWhole }) => askWhole(this.#options, outbox, answered),
      // It can't be had now: the next failure asks again.
      () => {},
    );
  }

  #degraded({ code, message }) {
    this.#hear({ type: "degraded", code, message });
  }

  /** Asks the page's transport for an answer: to the last message before it. */
  #ask({ conversationId, replyId, question, ...rest }) {
    if (this.#courier === undefined) {
      return;
    }
    const all = this.messages(conversationId);
    const end = all.findIndex((turn) => turn.messageId === replyId);
    const turns = all.slice(0, Math.max(end, 0)).filter((turn) => turn.content !== "");
    if (turns.length === 0 && question !== undefined) {
      // Between the death of the wasm and what comes after it nothing else is known.
      turns.push(question);
    }
    const { messageId, content } = turns.at(-1) ?? { content: "" };
    this.#courier.run({ conversationId, messageId, replyId, content, turns, ...rest });
  }

  /** One call of what is behind this; where the wasm dies of it, what comes after the wasm gets it instead. */
  #call(call) {
    try {
      return call(this.#use());
    } catch (error) {
      if (!isFatal(error)) {
        throw error;
      }
      died(error?.message);
      return call(this.#use());
    }
  }

  #use() {
    if (this.#inner === undefined) {
      throw coded("closed", "this ChatClient has been closed");
    }
    return this.#inner;
  }

  /** What a reload cut off: a transport that is asked for each answer brings no rest of one that it was asked for before. */
  #giveUp({ start }) {
    if (start !== undefined || trouble() !== undefined) {
      return;
    }
    for (const { conversationId, messageId, isStreaming } of this.debug().messages) {
      if (isStreaming) {
        const message = "the answer broke off when the page was loaded again";
        const about = { conversation_id: conversationId, message_id: messageId };
        this.handle({ type: "stream_error", ...about, code: "provider_truncated", message });
      }
    }
  }

  /** An event on its way to the page. */
  #hear(event) {
    if (event.type === "status" && event.status !== "pending" && event.status !== "streaming") {
      this.#takeover.ended(event.messageId);
      this.#courier?.[event.reason === "stopped" ? "stop" : "ended"](event.messageId);
    }
    this.#measures?.event(event);
    if (event.type === "connection") {
      this.#connection(event.state);
    }
    if (event.type === "message") {
      this.#takeover.begun(event.messageId);
    }
    if (event.type === "retry") {
      const { conversationId, messageId, epoch } = event;
      queueMicrotask(() => this.#ask({ conversationId, replyId: messageId, options: {}, trigger: "retry", epoch }));
    }
    this.#events.emit(event);
  }

  /** JavaScript may cut a surrogate pair between two chunks: the first half waits for the second. */
  #whole(event) {
    const id = event.message_id ?? event.messageId;
    const field = ["content", "chunk", "delta", "text"].find((name) => typeof event[name] === "string");
    if (event.type !== "message_chunk") {
      this.#halves.delete(id);
    }
    if (field === undefined || event.type !== "message_chunk") {
      return event;
    }
    let text = (this.#halves.get(id) ?? "") + event[field];
    this.#halves.delete(id);
    const last = text.charCodeAt(text.length - 1);
    if (last >= 0xd800 && last < 0xdc00) {
      this.#halves.set(id, text.slice(-1));
      text = text.slice(0, -1);
    }
    return { ...event, [field]: text };
  }
}

/** All that the client's module knows of the core's. */
function drawn(images, makeWatch) {
  const drawings = new Drawings(images, makeWatch);
  return {
    make: (element, prefix) => drawings.make(element, prefix),
    free: () => drawings.free(),
    sanitizer,
    loadSanitizer: fetchSanitizer,
    sayImages,
  };
}

/** `/ws`, `https://…` or `wss://…`, as a socket wants it. */
function socketUrl(url) {
  let resolved;
  try {
    resolved = new URL(url, document.baseURI);
  } catch (cause) {
    throw coded("bad_url", `not a URL: ${url}`, cause);
  }
  resolved.protocol = { "http:": "ws:", "https:": "wss:" }[resolved.protocol] ?? resolved.protocol;
  if (resolved.protocol !== "ws:" && resolved.protocol !== "wss:") {
    throw coded("bad_url", `a relay is reached by http, https, ws or wss, not ${resolved.protocol}`);
  }
  return resolved.href;
}

/** A number goes to the relay as JavaScript writes it. */
function decimal(value) {
  return value === undefined || value === null ? undefined : String(Number(value));
}
