// What a tab brings beside frames and sockets: it is looked at or left, its network is back, a time has come.

export class Tab {
  /**
   * Hears `wake` when a try makes sense again, `save` when what a reload needs is to be kept, and `timer`.
   * @param {(name: string) => void} tell
   */
  constructor(tell) {
    this.tell = tell;
    this.timer = undefined;
  }

  listen() {
    addEventListener("online", this);
    addEventListener("pagehide", this);
    document.addEventListener("visibilitychange", this);
  }

  handleEvent({ type }) {
    const left = type === "pagehide" || (type === "visibilitychange" && document.hidden);
    this.tell(left ? "save" : "wake");
  }

  /** In so many milliseconds; one at a time. */
  setTimer(delay) {
    this.clearTimer();
    this.timer = setTimeout(() => this.tell("timer"), delay);
  }

  clearTimer() {
    clearTimeout(this.timer);
  }

  leave() {
    this.clearTimer();
    removeEventListener("online", this);
    removeEventListener("pagehide", this);
    document.removeEventListener("visibilitychange", this);
  }
}
