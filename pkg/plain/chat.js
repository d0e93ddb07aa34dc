// The chat without wasm: the same calls, the same events, the same elements; text as plain text.
import { coded } from "../src/error.js";
import { uuid } from "../src/uuid.js";
import { Line } from "./line.js";
import { Log } from "./log.js";
import { View } from "./view.js";

const TERMINAL = new Set(["completed", "interrupted", "error"]);

/** Numbers come as the wasm takes them: in decimal digits. */
const number = (value) => (value === undefined ? undefined : Number(value));

/** Stands where the wasm's `Chat` stood: whoever calls it can't tell. */
export class PlainChat {
  #options;
  #logs = new Map();
  #view;
  #line;
  #outbox = [];
  #wantsList = false;
  #rooms = new Set();
  conversationId;

  constructor(options, takeover) {
    this.#options = options;
    this.#view = new View(options.root, (id) => this.retry(id));
    if (options.url !== undefined) {
      this.#line = new Line(options, {
        open: () => this.#joined(),
        frame: (frame) => this.#frame(frame),
        emit: (event) => this.#emit(event),
      });
    }
    const open = takeover?.conversationId ?? this.#wasOpen();
    if (open !== undefined) {
      this.open(open);
    }
    for (const sent of takeover?.outbox.values() ?? []) {
      this.#put(sent);
    }
    for (const [id, { event, text, end }] of takeover?.live ?? []) {
      const { part: _part, kind: _kind, ...about } = event;
      this.#frame({ ...about, type: "message_chunk", message_id: id, content: text.join("") });
      if (end !== undefined) {
        this.#frame(end);
      }
    }
  }

  open(conversationId) {
    if (this.conversationId === conversationId) {
      return;
    }
    const before = this.conversationId;
    this.conversationId = conversationId;
    this.#view.show(conversationId);
    for (const log of this.#of(conversationId)) {
      this.#view.mount(log);
    }
    this.#join(conversationId);
    if (before !== undefined && !this.#of(before).some((log) => !TERMINAL.has(log.status))) {
      this.#rooms.delete(before);
      this.#line?.send({ type: "leave_conversation", conversation_id: before });
    }
    this.#emit({ type: "opened", conversationId });
  }

  send(content, options, [messageId, replyId] = [uuid(), uuid()]) {
    if (this.conversationId === undefined) {
      throw coded("no_conversation", "open a conversation first");
    }
    if (content.trim() === "") {
      throw coded("content_empty", "there is no text to send");
    }
    this.#put({ conversationId: this.conversationId, messageId, replyId, content: content.toWellFormed?.() ?? content, options });
    return [messageId, replyId];
  }

  stop(id) {
    const log = this.#use(id);
    if (TERMINAL.has(log.status)) {
      return;
    }
    if (this.#line === undefined) {
      this.#end(log, { status: "interrupted", reason: "stopped" });
    } else {
      this.#line.send({ type: "stop", message_id: id, epoch: log.epoch });
    }
  }

  pause(id) {
    this.#use(id).paused = true;
    this.#view.status(this.#use(id));
  }

  resume(id) {
    const log = this.#use(id);
    log.paused = false;
    this.#view.text(log);
    this.#view.status(log);
  }

  retry(id) {
    const log = this.#use(id);
    if (!TERMINAL.has(log.status)) {
      return;
    }
    if (this.#line === undefined) {
      this.#restart(log, log.epoch + 1);
      this.#emit({ type: "retry", conversationId: log.conversationId, messageId: id, epoch: log.epoch });
    } else {
      this.#line.send({ type: "retry", message_id: id, epoch: log.epoch });
    }
  }

  handle(json) {
    this.#frame(JSON.parse(json));
  }

  listConversations() {
    this.#wantsList = true;
    this.#line?.send({ type: "list_conversations" });
  }

  rename(conversationId, title) {
    this.#line?.send({ type: "update_conversation", conversation_id: conversationId, title });
  }

  setClosed(conversationId, closed) {
    const status = closed ? "closed" : "open";
    this.#line?.send({ type: "update_conversation", conversation_id: conversationId, status });
  }

  text(id) {
    return this.#logs.get(id)?.text;
  }

  /** What is shown, as one part: this stand-in does not tell the others apart. */
  parts(id) {
    const log = this.#logs.get(id);
    return log && JSON.stringify([{ kind: "text", text: log.shown }]);
  }

  /** It has only what a join describes. */
  loadOlder() {
    return false;
  }

  /** Here every message has an element. */
  get window() {
    const count = this.conversationId === undefined ? 0 : this.#of(this.conversationId).length;
    return [0, count, count];
  }

  setWindow() {}

  /** Text is shown as it comes. */
  setPace() {}

  /** It says little, and that in English. */
  setWords() {}

  messages(conversationId) {
    return this.#of(conversationId).flatMap((log) => [log.id, log.role, log.status, log.shown]);
  }

  debug() {
    const messages = [...this.#logs.values()].map((log) => ({
      conversationId: log.conversationId,
      messageId: log.id,
      status: log.status,
      isStreaming: !TERMINAL.has(log.status),
      paused: log.paused,
      mounted: log.conversationId === this.conversationId,
      epoch: log.epoch,
      offset: log.length,
    }));
    const rooms = [...this.#rooms].map((conversationId) => ({
      conversationId,
      joined: this.#line?.isOpen === true,
      live: this.#of(conversationId).some((log) => !TERMINAL.has(log.status)),
    }));
    return JSON.stringify({
      connection: this.#line?.state ?? "idle",
      conversationId: this.conversationId ?? null,
      rooms,
      messages,
      mounted: messages.filter((message) => message.mounted).length,
      outbox: this.#outbox.length,
    });
  }

  get containers() {
    return this.#view.containers;
  }

  close() {
    this.#line?.close();
    this.#emit({ type: "connection", state: "closed" });
  }

  free() {}

  #emit(event) {
    this.#options.emit(JSON.stringify(event));
  }

  #use(id) {
    const log = this.#logs.get(id);
    if (log === undefined) {
      throw coded("unknown_message", `no message has the id "${id}"`);
    }
    return log;
  }

  #of(conversationId) {
    return [...this.#logs.values()].filter((log) => log.conversationId === conversationId);
  }

  /** A question and the answer that is waited for; sent now, or when the line stands. */
  #put({ conversationId, messageId, replyId, content, options = {} }) {
    const question = this.#know(messageId, conversationId, "user");
    if (question.text === "") {
      question.append(question.length, 0, "text", content);
      this.#view.text(question);
    }
    this.#settle(question, { status: "completed" });
    this.#know(replyId, conversationId, "assistant");
    if (this.#line === undefined) {
      return;
    }
    const frame = {
      type: "send_message",
      conversation_id: conversationId,
      message_id: messageId,
      reply_id: replyId,
      content,
      provider: options.provider,
      model: options.model,
      options: {
        temperature: number(options.temperature),
        top_p: number(options.topP),
        max_tokens: number(options.maxTokens),
      },
    };
    this.#outbox.push(frame);
    this.#line.send(frame);
  }

  #join(conversationId) {
    if (this.#line === undefined) {
      return;
    }
    this.#rooms.add(conversationId);
    const known = this.#of(conversationId).filter((log) => log.acknowledged);
    const have = known.map((log) => [log.id, { epoch: log.epoch, offset: log.length }]);
    this.#line.send({ type: "join_conversation", conversation_id: conversationId, have: Object.fromEntries(have) });
  }

  /** The relay has greeted us. The last one joined is the one that is looked at. */
  #joined() {
    if (this.#wantsList) {
      this.#line.send({ type: "list_conversations" });
    }
    const rooms = [...this.#rooms].filter((room) => room !== this.conversationId);
    for (const room of this.conversationId === undefined ? rooms : [...rooms, this.conversationId]) {
      this.#join(room);
    }
    this.#outbox.forEach((frame) => this.#line.send(frame));
  }

  /** A frame of the wire, or an event of a page's own transport: the same names. */
  #frame(frame) {
    const id = frame.message_id ?? frame.messageId;
    const conversationId = frame.conversation_id ?? frame.conversationId ?? this.conversationId;
    switch (frame.type) {
      case "conversation_joined":
        for (const info of frame.messages) {
          this.#describe(frame.conversation_id, info);
        }
        this.#emit({ type: "joined", conversationId: frame.conversation_id, more: frame.more });
        break;
      case "message_started":
        this.#describe(conversationId, { epoch: 0, ...frame, message_id: id, status: "pending" });
        break;
      case "message_chunk":
        this.#chunk(this.#know(id, conversationId, "assistant"), frame);
        break;
      case "message_status":
        this.#settle(this.#know(id, conversationId, "assistant"), { detail: frame.detail });
        break;
      case "response_complete":
        this.#complete(this.#know(id, conversationId, "assistant"), frame);
        break;
      case "stream_error": {
        const { code = "provider_failed", message = frame.error ?? "The answer could not be finished." } = frame;
        const error = { code, message, retryAfter: frame.retry_after };
        this.#end(this.#know(id, conversationId, "assistant"), { status: "error", error, length: frame.length });
        break;
      }
      case "conversations":
        this.#emit({
          type: "conversations",
          conversations: frame.conversations.map((line) => ({
            conversationId: line.conversation_id,
            title: line.title,
            status: line.status,
            updatedAt: line.updated_at,
            streaming: line.streaming,
          })),
        });
        break;
      case "leave_conversation":
        if (conversationId !== this.conversationId && this.#rooms.delete(conversationId)) {
          this.#line?.send({ type: "leave_conversation", conversation_id: conversationId });
        }
        break;
      case "error":
        this.#refused(frame);
        break;
      default:
      // A frame of a newer relay.
    }
  }

  #describe(conversationId, info) {
    const log = this.#know(info.message_id, conversationId, info.role ?? "assistant");
    log.acknowledged = true;
    this.#outbox = this.#outbox.filter((frame) => frame.message_id !== log.id);
    if (info.epoch > log.epoch) {
      this.#restart(log, info.epoch);
    }
    (info.parts ?? []).forEach((part, index) => log.describe(index, part.kind));
    if (TERMINAL.has(info.status)) {
      this.#end(log, info);
    }
  }

  #chunk(log, frame) {
    if (frame.epoch > log.epoch) {
      this.#restart(log, frame.epoch);
    }
    if (frame.epoch < log.epoch || TERMINAL.has(log.status) || log.isReplay(frame)) {
      return;
    }
    const content = frame.content ?? frame.chunk ?? frame.delta ?? frame.text ?? "";
    log.acknowledged = true;
    const taken = log.append(frame.offset ?? log.length, frame.part ?? 0, frame.kind, content);
    if (taken === undefined) {
      this.#join(log.conversationId);
      return;
    }
    if (!log.paused) {
      this.#view.text(log);
    }
    this.#emit({
      type: "chunk",
      conversationId: log.conversationId,
      messageId: log.id,
      epoch: log.epoch,
      kind: log.kind(frame.part ?? 0),
      offset: log.length - taken.bytes,
      length: log.length,
      text: taken.text,
      // Nothing is parsed here, and nothing is code.
      inCode: false,
    });
    if (log.status === "pending") {
      this.#settle(log, { status: "streaming" });
    }
    this.#finish(log);
  }

  #complete(log, frame) {
    const whole = frame.length === undefined ? (frame.content ?? frame.full_response ?? frame.fullResponse) : undefined;
    if (whole !== undefined && log.ending?.status !== "interrupted" && whole !== log.text) {
      if (!whole.startsWith(log.text)) {
        this.#restart(log, log.epoch + 1);
      }
      log.append(log.length, 0, "text", whole.slice(log.text.length));
      this.#view.text(log);
    }
    this.#end(log, { ...frame, status: frame.status ?? "completed" });
  }

  #end(log, { epoch = log.epoch, status, reason, error, length = log.length }) {
    if (epoch === log.epoch) {
      log.ending ??= { status, reason, error, length };
      this.#finish(log);
    }
  }

  /** Ends it as soon as its text is whole. */
  #finish(log) {
    if (log.ending !== undefined && !TERMINAL.has(log.status) && log.length >= log.ending.length) {
      this.#settle(log, log.ending);
    }
  }

  #settle(log, { status = log.status, detail, reason, error }) {
    log.status = status;
    this.#view.status(log, detail);
    this.#emit({
      type: "status",
      conversationId: log.conversationId,
      messageId: log.id,
      epoch: log.epoch,
      status,
      detail,
      reason,
      error,
    });
  }

  #restart(log, epoch) {
    log.restart(epoch);
    this.#view.text(log);
    this.#settle(log, { status: "pending" });
  }

  #refused({ code, message, in_reply_to: inReplyTo, retry_after: retryAfter }) {
    const unsent = this.#outbox.find((frame) => frame.message_id === inReplyTo);
    if (unsent !== undefined) {
      this.#outbox = this.#outbox.filter((frame) => frame !== unsent);
      this.#end(this.#use(unsent.reply_id), { status: "error", error: { code, message, retryAfter } });
    }
    this.#emit({ type: "error", code, message, inReplyTo, retryAfter });
  }

  #know(id, conversationId, role) {
    const known = this.#logs.get(id);
    if (known !== undefined) {
      return known;
    }
    const log = new Log(id, conversationId, role);
    this.#logs.set(id, log);
    if (conversationId === this.conversationId) {
      this.#view.mount(log);
    }
    this.#emit({ type: "message", conversationId, messageId: id, epoch: 0, role });
    return log;
  }

  /** What a page with wasm kept for a reload. */
  #wasOpen() {
    try {
      return JSON.parse(sessionStorage.getItem(this.#options.storageKey))?.open ?? undefined;
    } catch {
      return undefined;
    }
  }
}
