// Types of the adapter for the AI SDK's UI message stream (version 5 and later).
import type { FetchOptions, ForeignEvent, Transport } from "../index.js";

export interface AISDKOptions extends FetchOptions {
  /** The route; `"/api/chat"`. */
  api?: string;
}

/** A route that ends in `toUIMessageStreamResponse()`, for `new ChatClient({ root, transport })`. */
export function aiSDK(options?: AISDKOptions): Transport;

/** The events of a response that the page has fetched itself. Throws, with a `code`, when the stream fails or breaks off. */
export function readUIMessageStream(
  response: Response,
  options?: { epoch?: number },
): AsyncGenerator<Partial<ForeignEvent>, void, void>;
