// One WebSocket, and the token that is fetched for it.

export class Line {
  /**
   * Hears `open` with the token, `text` with each frame and, as the last of all, `closed` or `no_token` with what was thrown,
   * if anything was. Nothing is told before this returns, and nothing after `leave()`.
   * @param {string} url
   * @param {(() => unknown) | undefined} token the page's: what it returns may be a promise
   * @param {(name: string, value: unknown) => void} tell
   */
  constructor(url, token, tell) {
    this.tell = tell;
    this.socket = undefined;
    Promise.resolve()
      .then(() => this.tell && token?.())
      .then(
        (fetched) => this.connect(url, fetched),
        (thrown) => this.end("no_token", thrown),
      );
  }

  connect(url, token) {
    if (this.tell === undefined) {
      return;
    }
    try {
      this.socket = new WebSocket(url);
    } catch (thrown) {
      this.end("closed", thrown);
      return;
    }
    this.socket.onopen = () => this.tell?.("open", token);
    // The wire is text; a relay of ours sends nothing else.
    this.socket.onmessage = ({ data }) => this.tell?.("text", data);
    // Comes after an error, too, and that says nothing.
    this.socket.onclose = () => this.end("closed");
  }

  /** Text that finds the socket closing is lost, and `closed` follows. */
  send(text) {
    if (this.socket?.readyState === WebSocket.OPEN) {
      this.socket.send(text);
    }
  }

  end(name, thrown) {
    const { tell } = this;
    this.leave();
    tell?.(name, thrown);
  }

  leave() {
    this.tell = undefined;
    this.socket?.close();
  }
}
