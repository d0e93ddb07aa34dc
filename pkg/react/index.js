// React: <Markdown> for text that grows, and useChat for a whole conversation. Any React from 18 on.
"use client";
import { createElement, useCallback, useEffect, useMemo, useRef, useSyncExternalStore } from "react";
import { ChatClient } from "../src/chat.js";
import { coded } from "../src/error.js";
import { init } from "../src/loader.js";
import { MarkdownStream } from "../src/markdown.js";
import { uuid } from "../src/uuid.js";

/**
 * Renders `text` as it grows. Text that goes on from what was there is pushed; any other starts over. React never looks
 * into the element: its children are the stream's.
 */
export function Markdown(props) {
  const { text = "", done = false, className, ...others } = props;
  const { idPrefix, images, onDegraded, codeHeader, highlight, blocks, words, recorder, ...rest } = others;
  const element = useRef(null);
  const state = useRef(null);
  // Options count when a stream is made.
  const options = useRef(undefined);
  options.current = { idPrefix, images, onDegraded, codeHeader, highlight, blocks, words, recorder };

  useEffect(() => {
    const stream = new Growing(element.current, () => options.current);
    state.current = stream;
    return () => stream.free();
  }, []);
  useEffect(() => state.current?.show(text, done), [text, done]);

  const name = className === undefined ? "message-content" : `message-content ${className}`;
  return createElement("div", { ...rest, ref: element, className: name });
}

/** One element's stream, made anew when the text is another one. */
class Growing {
  #element;
  #options;
  #stream;
  #pushed = "";
  #ended = false;
  #wanted;
  #freed = false;

  constructor(element, options) {
    this.#element = element;
    this.#options = options;
    init().then(() => this.#draw(), (error) => reportError(error));
  }

  show(text, done) {
    this.#wanted = { text, done };
    if (this.#stream !== undefined || this.#drawable) {
      this.#draw();
    }
  }

  #drawable = false;

  #draw() {
    if (this.#freed) {
      return;
    }
    this.#drawable = true;
    if (this.#wanted === undefined) {
      return;
    }
    const { text, done } = this.#wanted;
    if (this.#stream === undefined || this.#ended && !done || !text.startsWith(this.#pushed)) {
      this.#clear();
      this.#stream = new MarkdownStream(this.#element, this.#options());
    }
    if (text.length > this.#pushed.length) {
      if (this.#ended) {
        this.#clear();
        this.#draw();
        return;
      }
      this.#stream.push(text.slice(this.#pushed.length));
      this.#pushed = text;
    }
    if (done && !this.#ended) {
      this.#ended = true;
      this.#stream.end();
    }
  }

  #clear() {
    this.#stream?.free();
    this.#stream = undefined;
    this.#pushed = "";
    this.#ended = false;
    this.#element.replaceChildren();
  }

  free() {
    this.#freed = true;
    this.#clear();
  }
}

const MOST_FAILURES = 100;
const NOTHING = { conversationId: undefined, messages: [], status: "starting", error: undefined };

/**
 * A conversation. `ref` goes on the element that shows it; `messages` is for what a page shows beside that. Options count
 * when the element is mounted; another `conversationId` opens that one, and other `pace` and `words` hold from then on.
 */
export function useChat({ conversationId, ...options }) {
  const latest = useRef(options);
  latest.current = options;
  const store = useMemo(() => new Store(), []);
  const state = useSyncExternalStore(store.subscribe, store.snapshot, () => NOTHING);
  const ref = useCallback(
    (element) => {
      if (element === null) {
        store.close();
      } else {
        store.open(element, latest.current);
      }
    },
    [store],
  );
  useEffect(() => store.show(conversationId), [store, conversationId]);
  const { pace, words } = options;
  // Words written into the call are another object each time.
  useEffect(() => store.adjust(pace, words), [store, pace, JSON.stringify(words)]);
  return { ...state, ref, ...store.calls };
}

/** The client of one mounted element, and what React shows of it. A client lives as long as its element. */
class Store {
  #chat;
  #conversation;
  #changed = new Set();
  #state = NOTHING;
  #life = 0;
  #adjusted;
  #unwindow;
  /** What went wrong that is of no answer, and with which answers: of so many at most. */
  #trouble;
  #failures = new Map();

  subscribe = (changed) => {
    this.#changed.add(changed);
    return () => this.#changed.delete(changed);
  };

  snapshot = () => this.#state;

  calls = {
    send: (content, options) => {
      const sent = this.#use().send(content, options);
      this.#settle();
      return sent;
    },
    stop: (messageId) => {
      const live = this.#state.messages.filter(({ status }) => status === "pending" || status === "streaming");
      (messageId === undefined ? live.map((message) => message.messageId) : [messageId]).forEach((id) => this.#use().stop(id));
    },
    retry: (messageId) => {
      this.#use().retry(messageId);
      this.#settle();
    },
    client: () => this.#chat,
  };

  open(element, { scroller, ...options }) {
    this.#life += 1;
    const life = this.#life;
    const reading = options.window === undefined ? undefined : import("../reading/window.js");
    Promise.all([reading, init()]).then(
      ([reading]) => {
        // React's strict mode mounts, unmounts and mounts: only the last one counts.
        if (life !== this.#life) {
          return;
        }
        const chat = new ChatClient({ ...options, root: element });
        this.#chat = chat;
        chat.on("*", (event) => this.#on(event));
        const conversation = this.#conversation ?? chat.conversationId ?? uuid();
        chat.open(conversation);
        this.#adjusted?.(chat);
        this.#unwindow = reading?.windowed(chat, { scroller: scroller?.current ?? element, root: element });
        this.#draw();
      },
      (error) => life === this.#life && this.#set({ status: "error", error }),
    );
  }

  show(conversationId) {
    // Left out where there was one: the reader wants a new one.
    const wanted = conversationId ?? (this.#conversation === undefined ? undefined : uuid());
    this.#conversation = conversationId;
    if (wanted !== undefined && this.#chat !== undefined) {
      this.#chat.open(wanted);
      this.#settle();
    }
  }

  adjust(pace, words) {
    this.#adjusted = (chat) => {
      chat.setPace(pace);
      chat.setWords(words ?? {});
    };
    if (this.#chat !== undefined) {
      this.#adjusted(this.#chat);
    }
  }

  close() {
    this.#life += 1;
    this.#unwindow?.();
    this.#unwindow = undefined;
    this.#chat?.close();
    this.#chat = undefined;
  }

  #use() {
    if (this.#chat === undefined) {
      throw coded("not_mounted", "the chat is not there yet: its status is \"starting\", or nothing has `ref`");
    }
    return this.#chat;
  }

  #on(event) {
    if (this.#chat === undefined) {
      return;
    }
    const { type, messageId, error } = event;
    if (event.state === "open" && this.#trouble?.code === "streaming_unavailable") {
      // The socket is back.
      this.#settle();
    }
    if (type === "error" || type === "degraded") {
      this.#trouble = coded(event.code, event.message);
    } else if (type === "status" && error !== undefined) {
      this.#failures.set(messageId, coded(error.code, error.message));
      if (this.#failures.size > MOST_FAILURES) {
        this.#failures.delete(this.#failures.keys().next().value);
      }
    }
    // Text is on the page already: React hears of what begins and what ends, not of every token.
    if (["opened", "joined", "message", "status", "error", "degraded"].includes(type)) {
      this.#draw();
    }
  }

  /** The reader goes on: what went wrong before, with no answer, is over. */
  #settle() {
    this.#trouble = undefined;
    this.#draw();
  }

  #draw() {
    const messages = this.#chat.messages();
    const last = messages.at(-1);
    const isLive = messages.some(({ status }) => status === "pending" || status === "streaming");
    // An answer that failed before others came is no trouble of now.
    const hasFailed = !isLive && last?.status === "error";
    const status = isLive ? "streaming" : hasFailed ? "error" : "ready";
    const error = hasFailed ? this.#failures.get(last.messageId) : this.#trouble;
    this.#set({ conversationId: this.#chat.conversationId, messages, status, error });
  }

  #set(change) {
    this.#state = { ...this.#state, ...change };
    this.#changed.forEach((changed) => changed());
  }
}
