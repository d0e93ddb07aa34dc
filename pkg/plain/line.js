// The socket of the plain chat: greeting, heartbeat, and another try after a loss.

const CONNECT_TIMEOUT = 15_000;
const BASE = 250;
const CAP = 20_000;
const MOST_WAITING = 100;

export class Line {
  state = "connecting";
  #options;
  #on;
  #socket;
  #attempt = 0;
  #waiting = [];
  #timer;
  #deadline;
  /** How long the relay may say nothing. */
  #silence;
  #wake = () => this.state === "waiting" && this.#connect();

  /** @param on `open()`, `frame(frame)` and `emit(event)` */
  constructor(options, on) {
    this.#options = options;
    this.#on = on;
    addEventListener("online", this.#wake);
    this.#connect();
  }

  get isOpen() {
    return this.state === "open";
  }

  /** What asks for something to be done waits for the line; what says where we are is said anew. */
  send(frame) {
    if (this.isOpen) {
      this.#socket.send(JSON.stringify(frame));
    } else if (["stop", "retry", "update_conversation"].includes(frame.type) && this.#waiting.length < MOST_WAITING) {
      this.#waiting.push(frame);
    }
  }

  close() {
    this.state = "closed";
    removeEventListener("online", this.#wake);
    this.#drop();
  }

  async #connect() {
    this.#drop();
    this.#say("connecting");
    let token;
    try {
      token = await this.#options.token?.();
    } catch (error) {
      this.#on.emit({ type: "error", code: "connection_failed", message: `the token can't be had: ${error?.message ?? error}` });
      this.#lost();
      return;
    }
    if (this.state !== "connecting") {
      return;
    }
    const socket = new WebSocket(this.#options.url);
    this.#socket = socket;
    this.#expect(CONNECT_TIMEOUT);
    socket.onopen = () => socket.send(JSON.stringify({ type: "hello", protocol: 1, token: token ?? undefined }));
    socket.onmessage = ({ data }) => this.#heard(JSON.parse(data));
    socket.onclose = () => socket === this.#socket && this.#lost();
  }

  #heard(frame) {
    if (frame.type === "welcome") {
      this.#attempt = 0;
      const interval = Math.min(20_000, Math.max(1_000, (frame.limits.idle_timeout_seconds * 1_000) / 3));
      this.#timer = setInterval(() => this.send({ type: "ping" }), interval);
      this.#silence = 2 * interval;
      this.#say("open");
      this.#on.emit({ type: "welcome", providers: frame.providers });
      this.#on.open();
      this.#waiting.splice(0).forEach((waiting) => this.send(waiting));
    } else {
      this.#on.frame(frame);
    }
    if (this.#silence !== undefined) {
      this.#expect(this.#silence);
    }
  }

  /** Something must come within this time. */
  #expect(ms) {
    clearTimeout(this.#deadline);
    this.#deadline = setTimeout(() => this.#lost(), ms);
  }

  #lost() {
    this.#drop();
    if (this.state === "closed") {
      return;
    }
    const ceiling = Math.min(CAP, BASE * 2 ** this.#attempt);
    this.#attempt += 1;
    const retryInMs = Math.round(ceiling / 10 + Math.random() * ceiling * 0.9);
    this.state = "waiting";
    this.#on.emit({ type: "connection", state: "waiting", retryInMs });
    this.#timer = setTimeout(this.#wake, retryInMs);
  }

  #drop() {
    clearTimeout(this.#timer);
    clearInterval(this.#timer);
    clearTimeout(this.#deadline);
    this.#silence = undefined;
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  #say(state) {
    this.state = state;
    this.#on.emit({ type: "connection", state });
  }
}
