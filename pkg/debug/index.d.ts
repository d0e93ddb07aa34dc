// The types of `riacho/debug`.
import type { ChatClient, ChatOptions, MarkdownStream } from "../index.js";

export interface RecorderOptions {
  /** Letters and digits of all text become `x` and `0`: lengths and markup stay. */
  redact?: boolean;
  /** Characters that are kept, 16,000,000 unless it is said otherwise. What comes when it is full is left out: `complete` is then false. */
  limit?: number;
}

/** One thing that happened: a call of the page's, or an input of the browser's. */
export interface RecordingEntry {
  /** Milliseconds since the page's time origin. */
  at: number;
  call?: string;
  args?: unknown[];
  /** `start`, `open`, `text` and `closed` of the socket, `frame`, `timer`, `wake`, `sanitizer`, `code`, `retry`. */
  input?: string;
  text?: string;
  /** Random numbers and ids that were asked for, in order. */
  reads?: (number | string)[];
  /** The sanitiser was there. */
  sanitizer?: boolean;
}

/** A session as plain data: `JSON.stringify` makes a file of it. */
export interface Recording {
  format: "riacho-recording";
  version: 1;
  /** The version of the package that recorded it. */
  package: string;
  of: "chat" | "markdown" | null;
  /** When it began, as `Date.prototype.toISOString` writes it. */
  began: string | null;
  /** False when it was longer than its limit: the end is missing. */
  complete: boolean;
  redacted: boolean;
  options: { relay?: boolean } & Pick<ChatOptions, "images" | "sweepInterval" | "sweepGrace"> & { idPrefix?: string; codeHeader?: unknown };
  entries: RecordingEntry[];
}

/**
 * Given to one `ChatClient` or one `MarkdownStream` as its `recorder`. When that is closed, freed or at its end it can be given to another, and begins
 * anew; before, that throws `bad_recorder`.
 */
export class Recorder {
  constructor(options?: RecorderOptions);
  /** What happened so far. */
  recording(): Recording;
}

export interface ReplayOptions extends Pick<ChatOptions, "images" | "codeHeader" | "highlight" | "blocks"> {
  /** How fast, against the clock of the recording: 1 unless it is said otherwise; `Infinity` waits for nothing. */
  speed?: number;
  /** Called after each entry. */
  onentry?: (entry: RecordingEntry, index: number) => void;
}

export interface Replay {
  /** What shows it: ask it for `debug()`, `text` and `messages()`, or listen to it. */
  client: ChatClient | MarkdownStream;
  /**
   * Resolves at the end, or after `stop()`. Rejects with `bad_recording`, with `replay_diverged` where this version of the package does
   * something else than the one that recorded it, or with what the wasm died of.
   */
  finished: Promise<void>;
  stop(): void;
}

/**
 * Plays a recording, or the JSON of one, into an empty element. Nothing is fetched for it: no socket, no token, no image unless `images`
 * allows it. Throws `bad_recording` and `bad_speed`.
 */
export function replay(recording: Recording | string, root: Element, options?: ReplayOptions): Replay;
