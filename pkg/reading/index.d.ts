// The types of `riacho/reading`.
import type { ChatClient } from "../index.js";

export interface FollowOptions {
  /** Called when following begins or ends: the moment to show or hide a way back. */
  onchange?: (state: { following: boolean }) => void;
  /** The client's `root`, where that is not the scroller itself. */
  root?: Element;
}

export interface Follower {
  /** The view is kept at its end. */
  readonly following: boolean;
  /** To the end, and follow it from now on. */
  toEnd(): void;
  /** Lets the element go. */
  stop(): void;
}

/** Keeps a scroller at its end while text comes in, as long as the reader is there. Throws `bad_scroller`. */
export function followEnd(scroller: Element, options?: FollowOptions): Follower;

export interface AnnounceOptions {
  /** The live region; it is made polite. Best an element that cannot be seen. */
  region: Element;
  /** The element that holds the view of the conversation: the client's `root`. */
  root: Element;
  /** Milliseconds between two announcements at least; 2000. */
  pace?: number;
}

/** Gives whole sentences of each answer on screen to a live region. Returns the function that ends it. Throws `bad_region`. */
export function announce(chat: ChatClient, options: AnnounceOptions): () => void;

/** Moves the window of a client that was made with `window` as the reader scrolls: only what is near the view has an element.
 * `root` is the client's, where that is not the scroller itself. Returns the function that ends it. Throws `bad_scroller`. */
export function windowed(chat: ChatClient, options: { scroller: Element; root?: Element }): () => void;

export interface ReadableWords {
  /** Names of messages: who speaks; "You". */
  user?: string;
  /** "Answer". */
  assistant?: string;
  /** Names of the boxes of tasks; "done". */
  done?: string;
  /** "to do". */
  open?: string;
}

/** Gives each message, and the blocks in it, what markdown leaves out, as they come: a name that says who speaks, unless the page has given
 * one; `dir="auto"` to lists, quotes and tables, so that their markers and borders stand where their text begins; names to the boxes of
 * tasks; and the Tab key a way to what scrolls sideways. Returns the function that ends it. Throws `bad_root`. */
export function readable(options: { root: Element; words?: ReadableWords }): () => void;
