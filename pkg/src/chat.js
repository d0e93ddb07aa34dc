// ChatClient: the wrapper that gives events to the page after the stack has unwound.
import { Chat, allowImages } from "../dist/riacho.js";
import { coded } from "./error.js";
import { listed, origin } from "./images.js";
import { assertStarted } from "./loader.js";

export class ChatClient {
  #inner;
  #root;
  #listeners = new Map();
  #queue = [];
  #halves = new Map();

  constructor(options) {
    assertStarted("ChatClient");
    if (!(options?.root instanceof Element)) {
      throw coded("bad_root", "ChatClient needs { root: element }");
    }
    this.#root = options.root;
    const url = options.url === undefined ? undefined : socketUrl(options.url);
    this.#inner = new Chat({
      url,
      root: options.root,
      token: options.token,
      storageKey: options.storageKey === null ? undefined : (options.storageKey ?? `riacho:${url ?? "page"}`),
      sweepInterval: options.sweepInterval,
      sweepGrace: options.sweepGrace,
      images: listed(options.images),
      emit: (json) => this.#enqueue(JSON.parse(json)),
    });
  }

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

  /** Shows a conversation and joins it; the one before keeps streaming. */
  open(conversationId) {
    this.#use().open(String(conversationId));
  }

  /** The conversation on screen. */
  get conversationId() {
    return this.#use().conversationId;
  }

  send(content, options = {}) {
    const { temperature, topP } = options;
    const numbers = { temperature: decimal(temperature), topP: decimal(topP) };
    const [messageId, replyId] = this.#use().send(String(content), { ...options, ...numbers });
    return { messageId, replyId };
  }

  stop(messageId) {
    this.#use().stop(String(messageId));
  }

  pause(messageId) {
    this.#use().pause(String(messageId));
  }

  resume(messageId) {
    this.#use().resume(String(messageId));
  }

  retry(messageId) {
    this.#use().retry(String(messageId));
  }

  /** An event of a transport of the page's own. */
  handle(event) {
    if (event === null || typeof event !== "object") {
      throw coded("bad_frame", "handle(event) needs an object");
    }
    this.#use().handle(JSON.stringify(this.#whole(event)));
  }

  /** Asks for `conversations` events, now and whenever the list changes. */
  listConversations() {
    this.#use().listConversations();
  }

  rename(conversationId, title) {
    this.#use().rename(String(conversationId), String(title));
  }

  closeConversation(conversationId) {
    this.#use().setClosed(String(conversationId), true);
  }

  reopenConversation(conversationId) {
    this.#use().setClosed(String(conversationId), false);
  }

  /** Loads the images that wait, and those to come: of one message, of one origin, or all. */
  loadImages(options = {}) {
    this.#use();
    const message = options.messageId === undefined ? undefined : String(options.messageId);
    allowImages(this.#root, message, origin(options.origin));
  }

  /** The raw text of a message, as far as it has come. */
  text(messageId) {
    return this.#use().text(String(messageId));
  }

  /** What streams, where, how many containers; plain data. */
  debug() {
    const inner = this.#use();
    return { ...JSON.parse(inner.debug()), containers: inner.containers };
  }

  /** For good: the socket closes, the page stays as it is. Idempotent. */
  close() {
    if (this.#inner !== undefined) {
      this.#inner.close();
      this.#inner.free();
      this.#inner = undefined;
    }
  }

  #use() {
    if (this.#inner === undefined) {
      throw coded("closed", "this ChatClient has been closed");
    }
    return this.#inner;
  }

  /** Events wait until the stack has unwound: a listener may call back into the client. */
  #enqueue(event) {
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
