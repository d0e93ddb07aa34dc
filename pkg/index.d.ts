// The types of the package. Event fields are those of wasm/client/src/core/event.rs.
import type { Recorder } from "./debug/index.js";

/** Where a wasm module comes from. */
export type WasmSource = string | URL | Request | Response | BufferSource | WebAssembly.Module;

/** Where the modules come from that are not beside the package's scripts. */
export interface InitOptions {
  /** What renders text. */
  core?: WasmSource | Promise<Response>;
  /** What a `ChatClient` needs beside it; fetched where that is imported. */
  client?: WasmSource | Promise<Response>;
  /** Fetched when raw HTML first appears. */
  sanitizer?: WasmSource | Promise<Response>;
  /** Fetches the sanitiser with the others, so that raw HTML is never text at first; `init()` waits for it. */
  preloadSanitizer?: boolean;
  /** What to do where the wasm can't be had: `"plain"`, the default, shows all text as plain text; `"none"` rejects. */
  fallback?: "plain" | "none";
}

/** How the package runs. `error` says why it is plain: its `code` is `wasm_blocked`, `wasm_mismatch` or `wasm_unavailable`. */
export type Started = { mode: "wasm"; error?: undefined } | { mode: "plain"; error: RiachoError };

/**
 * Fetches and starts the wasm that the page's imports need, all at the same time; idempotent. Without arguments it is found
 * beside the module; one source alone is the core's. After a later `import()` of more, it is awaited once more.
 */
export function init(source?: WasmSource | Promise<Response> | InitOptions): Promise<Started>;
export default init;

/** Every error thrown by this package is an `Error` with a stable `code`. */
export interface RiachoError extends Error {
  code: string;
}

/** One stretch of a line in a colour of its own, in UTF-16 units; stretches come in order and do not overlap. */
export interface HighlightRange {
  start: number;
  end: number;
  /** Any colour of CSS: `"#8250a0"`, `"var(--my-keyword)"`, `"light-dark(#000, #fff)"`. */
  color: string;
}

/** One block of code. It gets each line once, in order, without its end: what it needs to know of those before, it keeps. */
export interface LineHighlighter {
  /** The ranges of each line, now or later. Lines go on streaming meanwhile. */
  lines(lines: readonly string[]): HighlightRange[][] | Promise<HighlightRange[][]>;
  /** The block is finished, or gone. */
  close?(): void;
}

/** Begins a block of code in a language, which is in lower case. Nothing back: the code stays plain. */
export type Highlighter = (language: string) => LineHighlighter | undefined | Promise<LineHighlighter | undefined>;

/** A block that the page has taken over. */
export interface CustomBlock {
  /** The source so far, as it stands in the fence or between the dollars. */
  text: string;
  /** It will not change any more. */
  finished: boolean;
  /** What stands after the fence; `"math"` for a formula. */
  language: string;
  /** False for a formula within a line of text. */
  display: boolean;
  /** The page's own: the same one at each call, in the document. */
  element: HTMLElement;
  /** In a chat, the message that it is in. */
  messageId?: string;
}

/**
 * Shows a block, again whenever there is more of it: at most once a frame, and not while a promise of its own is pending.
 * What it returns is called before the next call, and when the block goes. If it throws, the source is shown instead;
 * if the block is finished, `block_failed` says so.
 */
export type CustomBlockFunction = (block: CustomBlock) => void | (() => void) | Promise<void | (() => void)>;

/** The words of a block's header. */
export interface CodeHeaderWords {
  copy?: string;
  copied?: string;
  /** The clipboard could not be had; the code is selected. */
  failed?: string;
  /** What the button is called for those who don't see where it stands. */
  describe?: (language: string) => string;
}

/** What is done with blocks of code, and with formulas. */
export interface CodeOptions {
  /** The header of a block of code: its language and a button that copies it. True unless it is said otherwise. */
  codeHeader?: boolean | CodeHeaderWords;
  /** Colours the code: the one from `riacho/shiki`, or one of the page's own. */
  highlight?: Highlighter;
  /** Functions that take over the blocks of a fenced language (in lower case), such as `mermaid`; `math` also gets formulas. */
  blocks?: Record<string, CustomBlockFunction>;
}

/** What may go wrong with a block. Its text is shown all the same. */
export type CodeEvent =
  | { type: "highlight_failed"; language: string; message: string }
  | { type: "block_failed"; language: string; messageId?: string; message: string }
  | { type: "copy_failed"; messageId?: string; message: string }
  | { type: "code_unavailable"; message: string };

export interface MarkdownStreamOptions extends CodeOptions {
  /** Goes into the ids of headings and footnotes, so that two streams on a page don't share any. */
  idPrefix?: string;
  /** Origins whose images load without being asked for, such as `"https://img.example.com"`; `"self"` is the page's own,
   * `"*"` every one. None by default: an image that a model writes can carry data to any server. */
  images?: string[];
  /** `load_image` is on the button of an image that waits; `{host}` in it is where it would be fetched from. */
  words?: Pick<ChatWords, "load_image">;
  /** Hears all that happens to it, for a bug report: from `riacho/debug`. */
  recorder?: Recorder;
  /** The wasm can't be had, or died: the text is shown plain. `code` as in `Started`, or `wasm_panicked`. */
  onDegraded?: (error: RiachoError) => void;
}

/** Text in, the DOM of one element out: sanitised, incremental, a frame at a time. */
export class MarkdownStream {
  constructor(container: Element, options?: MarkdownStreamOptions);
  /** Cheap: what is on screen follows on the next frame. Throws `ended` after `end()`. */
  push(text: string): void;
  /** Brings the DOM up to date now. */
  flush(): void;
  /** The text is whole. Resolves when the DOM is final: at once, unless raw HTML waits for the sanitiser. */
  end(): Promise<void>;
  /** Returns the function that ends the subscription. */
  on<T extends CodeEvent["type"]>(type: T, listener: (event: Extract<CodeEvent, { type: T }>) => void): () => void;
  on(type: "*", listener: (event: CodeEvent) => void): () => void;
  /** Loads the images that wait, and those to come: all, or those of one origin. */
  loadImages(options?: { origin?: string | URL }): void;
  /** The raw text so far. */
  readonly text: string;
  /** Lets the memory go; the DOM stays. Blocks that the page took over are cleaned up. Idempotent, and not needed: what is forgotten is collected. */
  free(): void;
}

export type Role = "user" | "assistant";
export type Status = "pending" | "streaming" | "completed" | "interrupted" | "error";
export type InterruptReason = "stopped" | "restart" | "unread";
export type PartKind = "text" | "reasoning" | "tool_call" | "refusal";

export interface MessagePart {
  kind: PartKind;
  /** The provider's id of a tool call. */
  id?: string;
  /** The name of the tool that is called. */
  name?: string;
  /** For a tool call: its arguments. */
  text: string;
}

export interface ConversationLine {
  conversationId: string;
  title: string;
  status: "open" | "closed";
  /** Milliseconds since 1970-01-01 UTC. */
  updatedAt: number;
  streaming: boolean;
}

export interface Usage {
  inputTokens?: number;
  outputTokens?: number;
  reasoningTokens?: number;
  /** The provider reported nothing; these are the relay's estimate. */
  estimated: boolean;
}

export interface Metrics {
  firstTokenMs?: number;
  durationMs: number;
  finishReason?: string;
}

export type ChatEvent =
  | { type: "connection"; state: "connecting" | "open" | "waiting" | "closed"; retryInMs?: number }
  | { type: "welcome"; providers: string[] }
  | { type: "conversations"; conversations: ConversationLine[] }
  | { type: "opened"; conversationId: string }
  | { type: "joined"; conversationId: string; more: boolean }
  | { type: "history"; conversationId: string; more: boolean }
  | { type: "message"; conversationId: string; messageId: string; epoch: number; role: Role }
  | {
      type: "chunk";
      conversationId: string;
      messageId: string;
      epoch: number;
      kind: PartKind;
      /** Where the text begins, in UTF-8 bytes of all that this epoch has. */
      offset: number;
      /** Where it ends: the length of all so far. */
      length: number;
      text: string;
      /** The text so far ends within a fenced block of code. */
      inCode: boolean;
      /** What stands after that fence. */
      language?: string;
    }
  | {
      type: "status";
      conversationId: string;
      messageId: string;
      epoch: number;
      status: Status;
      detail?: string;
      reason?: InterruptReason;
      error?: { code: string; message: string; retryAfter?: number };
      usage?: Usage;
      metrics?: Metrics;
    }
  /** The reader wants an answer once more; on a transport of the page's own, `transport.send` is called for it. */
  | { type: "retry"; conversationId: string; messageId: string; epoch: number }
  | { type: "left"; conversationId: string }
  | { type: "sanitizer_unavailable"; message: string }
  /** Text is shown plain from here on: `wasm_blocked`, `wasm_mismatch`, `wasm_unavailable` or `wasm_panicked`. Or
   * answers come whole, by HTTP, since there is no socket to be had: `streaming_unavailable`. */
  | { type: "degraded"; code: string; message: string }
  | { type: "error"; code: string; message: string; inReplyTo?: string; retryAfter?: number }
  | CodeEvent;

export interface ChatOptions extends CodeOptions {
  /** The element that holds the view of a conversation. */
  root: Element;
  /** The relay's socket, such as `"/ws"`. Without it events come through `transport` or `handle`. */
  url?: string | URL;
  /** Where answers come from when it is not a relay: an adapter's, or one of your own. */
  transport?: Transport;
  /** Called for each connection; what it returns goes into `hello`. */
  token?: () => string | undefined | Promise<string | undefined>;
  /** The key of `sessionStorage` for what a reload keeps; `null` keeps nothing. */
  storageKey?: string | null;
  /** Milliseconds between two looks for orphan containers; 5000. */
  sweepInterval?: number;
  /** Milliseconds that an empty completed container may stay; 5000. */
  sweepGrace?: number;
  /** Measures how long each answer took to its first text and to its end, for the browser's performance tools:
   * `performance.getEntriesByType("measure")`. */
  measure?: boolean;
  /** Origins whose images load without being asked for, as in `MarkdownStreamOptions`. */
  images?: string[];
  /** Hears all that happens to the client, for a bug report: from `riacho/debug`. */
  recorder?: Recorder;
  /** So many messages have an element, the newest, until `setWindow` says which; without it all of them. */
  window?: number;
  /** What the reader prefers, to be counted in the relay's metrics. Giving it allows that; without it nothing is sent. */
  preferences?: Preferences | undefined;
  /** As `setPace` takes it. */
  pace?: number;
  /** As `setWords` takes them. */
  words?: ChatWords;
}

/** Sent once, when the client first reaches the relay, which keeps sums and not whose they are. Another value is counted as `other`. */
export interface Preferences {
  theme?: "system" | "light" | "dark" | "other";
  motion?: "system" | "reduced" | "other";
  /** A language tag, such as `pt-BR`. Only what stands before the first hyphen is sent. */
  language?: string;
  answers?: "streamed" | "whole" | "other";
  pace?: "free" | "steady" | "slow" | "other";
}

/** What stands under an answer: by the code of an error, and by these. `{provider}` in it is a name, `{seconds}` a number. */
export interface ChatWords {
  /** It was interrupted. */
  stopped?: string;
  restart?: string;
  unread?: string;
  /** The button. */
  retry?: string;
  /** Goes behind an error that says when to try again: `{seconds}`. */
  retry_after?: string;
  /** Nothing comes for now, and why: `{provider}` takes no more requests; it is asked again, or its answer taken up again,
   * in `{seconds}`; another `{provider}` is asked; a command works. */
  waiting?: string;
  asking_again?: string;
  taking_up?: string;
  next_provider?: string;
  working?: string;
  /** On the button of an image that waits; `{host}` in it is where it would be fetched from. */
  load_image?: string;
  [code: string]: string | undefined;
}

/** A part of a conversation, in order: from `start` up to, and without, `end`. */
export interface MessageRange {
  start: number;
  end: number;
}

export interface SendOptions {
  provider?: string;
  model?: string;
  temperature?: number;
  topP?: number;
  maxTokens?: number;
}

/** An event of a transport of the page's own: a frame of the wire, or one without offsets. */
export interface ForeignEvent {
  type: "message_started" | "message_chunk" | "response_complete" | "stream_error";
  message_id: string;
  conversation_id?: string;
  /** The chunk's text; with `response_complete` the whole text, if the transport sends it. */
  content?: string;
  /** Counts the chunks of a message, so that a replay is known as one. */
  chunk_number?: number;
  /** The part of the answer that the chunk goes on with, and, with the first chunk of one, what it is. */
  part?: number;
  kind?: PartKind;
  name?: string;
  /** With `message_started`: above the message's own it starts over, in the same container. */
  epoch?: number;
  /** With `stream_error`: what went wrong, as a program and as a person reads it, and when to try again, in seconds. */
  code?: string;
  message?: string;
  retry_after?: number;
  [field: string]: unknown;
}

/** A message as it stands. `content` is the text that is shown: no reasoning, no tool calls. */
export interface Turn {
  messageId: string;
  role: Role;
  status: Status;
  content: string;
}

/** One answer that is asked for. */
export interface TransportRequest {
  conversationId: string;
  /** The message that is answered, and its text. */
  messageId: string | undefined;
  content: string;
  /** The answer: what is brought of it goes there. */
  replyId: string;
  /** The conversation up to and with the message, oldest first. */
  turns: Turn[];
  options: SendOptions;
  trigger: "send" | "retry";
  epoch: number;
  /** Aborted when the reader stops the answer, and when the client closes. */
  signal: AbortSignal;
}

/** Where answers come from when it is not a relay. */
export interface Transport {
  /** Called once, where events come by themselves: each goes to `handle`. Returns what ends it. */
  start?(handle: (event: ForeignEvent) => void): (() => void) | void;
  /**
   * Brings one answer: text, or events with its ids left out. Its end completes the answer; what it throws fails it, with
   * the error's `code`, `message` and `retryAfter` in seconds. Or nothing, where the events come through `start`. Without `start` an
   * answer that a reload cut off has failed.
   */
  send(request: TransportRequest): AsyncIterable<string | Partial<ForeignEvent>> | void | Promise<void>;
}

/** What the adapters that fetch take. What a function gives is asked for at each request. */
export interface FetchOptions {
  headers?: HeadersInit | (() => HeadersInit | Promise<HeadersInit>);
  credentials?: RequestCredentials;
  /** Goes into each request's body, over what the adapter puts there. */
  body?: object | (() => object | Promise<object>);
  fetch?: typeof fetch;
}

export interface ChatDebug {
  connection: "idle" | "connecting" | "greeting" | "open" | "waiting" | "closed";
  conversationId: string | null;
  rooms: { conversationId: string; joined: boolean; live: boolean }[];
  messages: {
    conversationId: string;
    messageId: string;
    status: Status;
    isStreaming: boolean;
    paused: boolean;
    mounted: boolean;
    epoch: number;
    offset: number;
  }[];
  mounted: number;
  outbox: number;
  /** Elements of messages in the root. */
  containers: number;
}

/** The chat of a page: registry, routing, rendering, reconnect. */
export class ChatClient {
  constructor(options: ChatOptions);
  /** Returns the function that ends the subscription. A listener may call back into the client. */
  on<T extends ChatEvent["type"]>(type: T, listener: (event: Extract<ChatEvent, { type: T }>) => void): () => void;
  on(type: "*", listener: (event: ChatEvent) => void): () => void;
  /** Shows a conversation and joins it; the one before keeps streaming. */
  open(conversationId: string): void;
  readonly conversationId: string | undefined;
  /** Throws `no_conversation`, `content_empty`, `content_too_long` or `outbox_full`. Offline, it is sent later, once. */
  send(content: string, options?: SendOptions): { messageId: string; replyId: string };
  stop(messageId: string): void;
  pause(messageId: string): void;
  resume(messageId: string): void;
  retry(messageId: string): void;
  handle(event: ForeignEvent): void;
  listConversations(): void;
  rename(conversationId: string, title: string): void;
  closeConversation(conversationId: string): void;
  reopenConversation(conversationId: string): void;
  text(messageId: string): string | undefined;
  /** The messages of a conversation, oldest first: of the one on screen, unless another is named. */
  messages(conversationId?: string): Turn[];
  /** The parts of a message as they have come, in order of appearance. Reasoning and tool calls show only if the page shows them. */
  parts(messageId: string): MessagePart[];
  /** Fetches older messages of the conversation on screen; a `history` event follows. False when there is nothing to
   * fetch, or when they are on their way. */
  loadOlder(): boolean;
  /** Which messages of the conversation on screen have an element, and how many there are. */
  readonly window: MessageRange & { count: number };
  /** Puts up and takes down elements, for a client that was made with `window`. `riacho/reading` does it as one scrolls. */
  setWindow(range: MessageRange): void;
  /** Shows at most so many characters of an answer a second; `undefined` as they come. Events and texts are not paced. */
  setPace(charactersPerSecond?: number): void;
  /** What is said under answers that wait or did not end well, and on the buttons of images that wait; what has no words
   * here is said in English. */
  setWords(words: ChatWords): void;
  /** Loads the images that wait, and those to come: of one message, of one origin, or all. Throws `bad_origin`. */
  loadImages(options?: { messageId?: string; origin?: string | URL }): void;
  debug(): ChatDebug;
  close(): void;
}
