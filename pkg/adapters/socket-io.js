// A Socket.IO server that emits `message_chunk`, `response_complete` and `stream_error`.

/** What the events are called on the wire of the package, and, unless it is said otherwise, on the socket. */
const TYPES = {
  started: "message_started",
  chunk: "message_chunk",
  complete: "response_complete",
  error: "stream_error",
};

/** So many ids of answers are remembered: a server may say the end of one again. */
const MOST_REMEMBERED = 200;

/**
 * A transport for `new ChatClient({ root, transport })`, over a socket that the page has connected. A message goes out as
 * `send_message`, a stop as `stop`; a server that gives answers ids of its own is understood too.
 */
export function socketIO(socket, { events = {}, send = sendMessage, stop = stopMessage } = {}) {
  const names = { ...TYPES, ...events };
  const replies = new Replies();
  return {
    start(handle) {
      const offs = Object.keys(TYPES).map((kind) => {
        const listener = (payload) => {
          const event = normal(TYPES[kind], payload);
          if (event !== undefined) {
            handle({ ...event, message_id: replies.idOf(event) });
          }
        };
        socket.on(names[kind], listener);
        return () => socket.off(names[kind], listener);
      });
      return () => offs.forEach((off) => off());
    },
    send(request) {
      replies.expect(request);
      send(socket, request);
      request.signal.addEventListener("abort", () => stop(socket, request), { once: true });
    },
  };
}

/** Which answer an event is about, where the server chose the id. */
class Replies {
  /** Asked for and not begun, the oldest first. */
  #expected = [];
  /** By the server's id; ours where the server kept it. */
  #known = new Map();

  expect({ conversationId, replyId }) {
    this.#expected.push({ conversationId, replyId });
  }

  idOf({ message_id: id, conversation_id: conversation, role }) {
    if (!this.#known.has(id) && role !== "user") {
      const own = ({ replyId }) => replyId === id;
      const there = ({ conversationId }) => conversation === undefined || conversation === conversationId;
      const found = this.#expected.find(own) ?? this.#expected.find(there);
      this.#expected = this.#expected.filter((request) => request !== found);
      this.#remember(id, found?.replyId ?? id);
    }
    return this.#known.get(id) ?? id;
  }

  #remember(id, reply) {
    this.#known.set(id, reply);
    if (this.#known.size > MOST_REMEMBERED) {
      this.#known.delete(this.#known.keys().next().value);
    }
  }
}

function sendMessage(socket, { conversationId, messageId, replyId, content, trigger }) {
  socket.emit("send_message", {
    conversation_id: conversationId,
    message_id: messageId,
    reply_id: replyId,
    content,
    trigger,
  });
}

function stopMessage(socket, { conversationId, replyId }) {
  socket.emit("stop", { conversation_id: conversationId, message_id: replyId });
}

/** One payload, in whichever of the usual spellings; `undefined` for what names no message. */
function normal(type, payload) {
  if (payload === null || typeof payload !== "object") {
    return undefined;
  }
  const message_id = payload.message_id ?? payload.messageId ?? payload.id;
  if (message_id === undefined) {
    return undefined;
  }
  const text =
    payload.content ?? payload.chunk ?? payload.delta ?? payload.text ?? payload.full_response ?? payload.fullResponse;
  const error = payload.error ?? payload.message;
  const conversation = payload.conversation_id ?? payload.conversationId;
  return {
    type,
    message_id: String(message_id),
    conversation_id: conversation === undefined ? undefined : String(conversation),
    role: payload.role,
    chunk_number: payload.chunk_number ?? payload.chunkNumber ?? payload.index,
    content: typeof text === "string" ? text : undefined,
    code: typeof payload.code === "string" ? payload.code : undefined,
    message: type === "stream_error" && error !== undefined ? String(error.message ?? error) : undefined,
    retry_after: payload.retry_after ?? payload.retryAfter,
  };
}
