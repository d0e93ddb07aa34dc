// What each module needs of the browser: when to draw, and what an error says. One script, as the runner of the browser tests
// serves no more than four at a time.

/** Browsers run the timers of a hidden page about once a second anyway. */
const HIDDEN_DELAY_MS = 200;

/**
 * When to draw: the next animation frame while the page is visible, a timer while it is hidden. A hidden page gets no animation
 * frames; a frame that was asked for while visible moves to the timer on hiding. At most one is asked for at a time.
 */
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

/** An error as a page has it. */
export const coded = (code, message) => Object.assign(new Error(message), { code });

/** Whether or not it is an `Error`. Some objects throw when they are asked. */
export function wordsOf(thrown) {
  try {
    return typeof thrown?.message === "string" ? thrown.message : String(thrown);
  } catch {
    return "";
  }
}
