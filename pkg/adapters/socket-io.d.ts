// Types of the adapter for a Socket.IO server.
import type { Transport, TransportRequest } from "../index.js";

/** What is used of a socket of `socket.io-client`. */
export interface SocketLike {
  on(event: string, listener: (...args: any[]) => void): unknown;
  off(event: string, listener: (...args: any[]) => void): unknown;
  emit(event: string, ...args: any[]): unknown;
}

export interface SocketIOOptions<S extends SocketLike = SocketLike> {
  /** What the server calls its events, where it is not `message_started`, `message_chunk`, `response_complete`, `stream_error`. */
  events?: { started?: string; chunk?: string; complete?: string; error?: string };
  /** Sends a message; `emit("send_message", { conversation_id, message_id, reply_id, content, trigger })`. */
  send?: (socket: S, request: TransportRequest) => void;
  /** Stops an answer; `emit("stop", { conversation_id, message_id })`. */
  stop?: (socket: S, request: TransportRequest) => void;
}

/** A Socket.IO server's events, for `new ChatClient({ root, transport })`. */
export function socketIO<S extends SocketLike>(socket: S, options?: SocketIOOptions<S>): Transport;
