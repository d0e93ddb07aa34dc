// When to draw: the next animation frame while the page is visible, a timer while it is hidden.
// A hidden page gets no animation frames; a frame that was asked for while visible moves to the timer on hiding.

/** Browsers run the timers of a hidden page about once a second anyway. */
const HIDDEN_DELAY_MS = 200;

/** At most one frame is asked for at a time. */
export class Frames {
  /** @param {() => void} draw */
  constructor(draw) {
    this.draw = draw;
    // Takes back the frame that was asked for.
    this.cancel = undefined;
    document.addEventListener("visibilitychange", this);
  }

  /** Asks for a frame, unless one is on its way. */
  request() {
    if (this.cancel === undefined) {
      this.ask();
    }
  }

  handleEvent() {
    if (this.cancel !== undefined) {
      this.cancel();
      this.ask();
    }
  }

  ask() {
    const fire = () => {
      // First: drawing may ask for the next one.
      this.cancel = undefined;
      this.draw();
    };
    if (document.hidden) {
      const timer = setTimeout(fire, HIDDEN_DELAY_MS);
      this.cancel = () => clearTimeout(timer);
    } else {
      const frame = requestAnimationFrame(fire);
      this.cancel = () => cancelAnimationFrame(frame);
    }
  }

  leave() {
    this.cancel?.();
    document.removeEventListener("visibilitychange", this);
  }
}
