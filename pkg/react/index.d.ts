// Types of the React entry.
import type { ComponentPropsWithoutRef, ReactElement, RefCallback, RefObject } from "react";
import type { ChatClient, ChatOptions, MarkdownStreamOptions, RiachoError, SendOptions, Turn } from "../index.js";

export interface MarkdownProps extends MarkdownStreamOptions, Omit<ComponentPropsWithoutRef<"div">, "children"> {
  /** The text so far. What goes on from the text before is appended; any other starts over. */
  text?: string;
  /** The text is whole. */
  done?: boolean;
}

/** Markdown that grows. */
export function Markdown(props: MarkdownProps): ReactElement;

export interface UseChatOptions extends Omit<ChatOptions, "root"> {
  /** The conversation to show. Left out, it is the one from before a reload, or a new one; left out later, another new one. */
  conversationId?: string | undefined;
  /** With `window`: the element that scrolls, where that is not the one that `ref` goes on. */
  scroller?: RefObject<Element | null>;
}

export interface Chat {
  /** Goes on the element that shows the conversation. */
  ref: RefCallback<Element>;
  /** The conversation on screen, once there is one. */
  conversationId: string | undefined;
  messages: Turn[];
  /** `"starting"` until the client is there; `"streaming"` from `send` to the end of the answer; `"error"` where the last answer
   * failed, or the client could not be started. */
  status: "starting" | "ready" | "streaming" | "error";
  /** What went wrong last, until the next `send`, `retry` or conversation. A failed answer says so under its text as well. */
  error: (Error & Partial<RiachoError>) | undefined;
  /** As `ChatClient.send`; throws `not_mounted` while the status is `"starting"`. */
  send(content: string, options?: SendOptions): { messageId: string; replyId: string };
  /** Stops one answer, or all that stream. */
  stop(messageId?: string): void;
  retry(messageId: string): void;
  /** The client underneath, while the element is mounted. */
  client(): ChatClient | undefined;
}

export function useChat(options: UseChatOptions): Chat;
