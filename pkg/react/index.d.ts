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
  /** The conversation to show; a new one while it is left out. */
  conversationId?: string;
  /** With `window`: the element that scrolls, where that is not the one that `ref` goes on. */
  scroller?: RefObject<Element | null>;
}

export interface Chat {
  /** Goes on the element that shows the conversation. */
  ref: RefCallback<Element>;
  messages: Turn[];
  status: "starting" | "ready" | "streaming" | "error";
  error: Error & Partial<RiachoError> | undefined;
  send(content: string, options?: SendOptions): { messageId: string; replyId: string };
  /** Stops one answer, or all that stream. */
  stop(messageId?: string): void;
  retry(messageId: string): void;
  /** The client underneath, while the element is mounted. */
  client(): ChatClient | undefined;
}

export function useChat(options: UseChatOptions): Chat;
