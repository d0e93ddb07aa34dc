// Types of the adapter for OpenAI's Chat Completions, and what is compatible with it.
import type { FetchOptions, ForeignEvent, Transport } from "../index.js";

export interface OpenAIOptions extends FetchOptions {
  /** The endpoint, such as `"/api/chat/completions"`: one of your own that adds the key. */
  url: string;
  /** The model, unless `chat.send` names another. */
  model?: string;
}

/** Chat Completions over server-sent events, for `new ChatClient({ root, transport })`. */
export function openAI(options: OpenAIOptions): Transport;

/** The events of a response that the page has fetched itself. Throws, with a `code`, when the stream fails or breaks off. */
export function readOpenAI(response: Response): AsyncGenerator<Partial<ForeignEvent>, void, void>;
