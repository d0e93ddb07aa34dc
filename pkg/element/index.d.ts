// Types of <riacho-chat>.
import type { ChatClient, ChatEvent, ChatOptions } from "../index.js";

export interface RiachoChatLabels {
  messages: string;
  message: string;
  placeholder: string;
  send: string;
  stop: string;
  answering: string;
  answered: string;
  failed: string;
  offline: string;
  plain: string;
  /** Names of messages, for who hears them: "You" and "Answer". */
  user: string;
  assistant: string;
  /** Names of the boxes of tasks. */
  done: string;
  open: string;
}

/**
 * `<riacho-chat src="/ws" conversation="…">`: messages, a composer, Send and Stop. Parts: `log`, `notice`, `composer`,
 * `input`, `button`, `send`, `stop`, `status`. Each event of the client is dispatched as `riacho-<type>`, with the event as `detail`.
 */
export class RiachoChat extends HTMLElement {
  /** For what is no attribute: `transport`, `token`, `images`, `codeHeader`, `highlight`, `blocks` and so on. Set them in the script that
   * imports this module, or before the element is connected; `pace` and `words` hold from then on whenever they are set. With `window` only
   * the messages near the view have an element, for which the page's CSS must give this one a height. */
  options: Partial<Omit<ChatOptions, "root">>;
  /** Words of the controls, for other languages; they may be set at any time. */
  labels: Partial<RiachoChatLabels>;
  readonly chat: ChatClient | undefined;
  /** Resolves when the client is there; to `undefined` when the element is not in the page, or was taken away meanwhile. */
  readonly ready: Promise<ChatClient | undefined>;
}

/** Each event of the client, as the element dispatches it: it bubbles. */
export type RiachoChatEventMap = {
  [T in ChatEvent["type"] as `riacho-${T}`]: CustomEvent<Extract<ChatEvent, { type: T }>>;
};

/** Importing the module defines `riacho-chat`; this defines it under another name, in a page that has one already. */
export function define(name?: string): void;

declare global {
  interface HTMLElementTagNameMap {
    "riacho-chat": RiachoChat;
  }
  interface HTMLElementEventMap extends RiachoChatEventMap {}
}
