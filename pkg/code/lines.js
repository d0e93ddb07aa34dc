// Gives each whole line of a block of code to the highlighter once, in slices of time, and its colours to the tint.
import { Tint } from "./tint.js";

/** Milliseconds of work between two looks at what else the page has to do. */
const SLICE = 8;
/** Lines in one question to a highlighter that answers later. */
const BATCH = 128;

export class Lines {
  #code;
  #language;
  #open;
  #emit;
  #tint;
  /** Undefined until the highlighter has it; null if the code stays plain, or all is done. */
  #session;
  /** An answer is awaited. */
  #isBusy = false;
  #answersLater = false;
  #finished = false;
  /** Answers to an older one are not ours any more. */
  #generation = 0;
  /** How much of the text was read, and where the line begins that is not whole. */
  #read = 0;
  #lineAt = 0;
  #line = "";
  /** Whole lines that were not given away yet, and where the first of them begins. */
  #lines = [];
  #linesAt = 0;

  constructor(code, language, highlight, emit) {
    this.#code = code;
    this.#language = language.toLowerCase();
    this.#open = highlight;
    this.#emit = emit;
    this.#tint = new Tint(code);
  }

  /** Reads what is new in the text. */
  update(finished) {
    if (this.#session === null || this.#finished) {
      return;
    }
    this.#readOn();
    if (this.#session !== null && finished) {
      this.#finished = true;
      if (this.#line !== "") {
        this.#lines.push(this.#line);
        this.#line = "";
      }
    }
    work(this);
  }

  /** See `Watch.cut`. What was no whole line yet may change; the engine seldom takes back more than that. */
  cut(text, keep) {
    if (keep >= this.#read) {
      return;
    }
    if (text === this.#code.firstChild && keep >= this.#lineAt) {
      this.#line = this.#line.slice(0, keep - this.#lineAt);
      this.#read = keep;
      this.#tint.cut(keep);
    } else {
      this.#restart();
    }
  }

  leave() {
    this.#give();
    this.#tint.clear();
  }

  /** One piece of work. False if there is none for now. */
  step() {
    if (this.#session === null || this.#isBusy) {
      return false;
    }
    if (this.#session === undefined) {
      this.#isBusy = true;
      this.#begin();
      return false;
    }
    if (this.#lines.length === 0) {
      if (this.#finished) {
        this.#give();
        this.#tint.finish();
      }
      return false;
    }
    // One at a time, unless somebody else does the work.
    const lines = this.#lines.splice(0, this.#answersLater ? BATCH : 1);
    this.#ask(lines);
    return true;
  }

  #readOn() {
    let node = this.#tint.lastRow?.node ?? this.#code.firstChild;
    let from = this.#read - (this.#tint.lastRow?.start ?? 0);
    for (; node !== null; node = node.nextSibling) {
      if (node.nodeType !== Node.TEXT_NODE) {
        // Somebody's own markup in the code: it keeps its looks.
        this.leave();
        return;
      }
      if (node !== this.#tint.lastRow?.node) {
        this.#tint.addRow(node, this.#read);
        from = 0;
      }
      const text = from === 0 ? node.data : node.data.slice(from);
      this.#read += text.length;
      const [first, ...rest] = text.split("\n");
      this.#line += first;
      for (const next of rest) {
        this.#lines.push(this.#line);
        this.#lineAt += this.#line.length + 1;
        this.#line = next;
      }
    }
  }

  async #begin() {
    const generation = this.#generation;
    let session;
    try {
      session = await this.#open(this.#language);
    } catch (cause) {
      this.#fail(cause);
    }
    if (generation !== this.#generation) {
      session?.close?.();
      return;
    }
    this.#isBusy = false;
    this.#session = session ?? null;
    if (this.#session === null) {
      this.#give();
    } else {
      work(this);
    }
  }

  #ask(lines) {
    const generation = this.#generation;
    const take = (ranges) => {
      if (generation === this.#generation) {
        this.#isBusy = false;
        this.#paint(lines, ranges);
      }
    };
    const fail = (cause) => {
      if (generation === this.#generation) {
        this.#fail(cause);
        this.#give();
      }
    };
    try {
      const answer = this.#session.lines(lines);
      if (typeof answer?.then === "function") {
        this.#answersLater = true;
        this.#isBusy = true;
        answer.then(take).then(() => work(this)).catch(fail);
      } else {
        take(answer);
      }
    } catch (cause) {
      fail(cause);
    }
  }

  #paint(lines, ranges) {
    lines.forEach((line, index) => {
      for (const { start, end, color } of ranges[index] ?? []) {
        this.#tint.add(this.#linesAt + Math.max(start, 0), this.#linesAt + Math.min(end, line.length), color);
      }
      this.#linesAt += line.length + 1;
    });
    this.#tint.draw();
  }

  /** Whole lines have changed after all: from the top. */
  #restart() {
    this.#give();
    this.#tint.clear();
    this.#session = undefined;
    this.#isBusy = false;
    this.#read = this.#lineAt = this.#linesAt = 0;
    this.#line = "";
  }

  /** The highlighter is not needed any more. */
  #give() {
    this.#generation += 1;
    this.#lines = [];
    const session = this.#session;
    this.#session = null;
    // The engine may be in the midst of its work, and what is the page's may call it.
    queueMicrotask(() => {
      try {
        session?.close?.();
      } catch (cause) {
        this.#fail(cause);
      }
    });
  }

  #fail(cause) {
    const message = String(cause?.message ?? cause);
    this.#emit({ type: "highlight_failed", language: this.#language, message });
  }
}

/** Blocks that may have something to do, in order. */
const waiting = new Set();
let isScheduled = false;

function work(lines) {
  waiting.add(lines);
  schedule();
}

function schedule() {
  if (isScheduled) {
    return;
  }
  isScheduled = true;
  if (typeof requestIdleCallback === "function") {
    requestIdleCallback((idle) => turn(idle.timeRemaining()), { timeout: 50 });
  } else {
    setTimeout(() => turn(SLICE), 0);
  }
}

function turn(remaining) {
  isScheduled = false;
  const until = performance.now() + Math.min(Math.max(remaining, SLICE / 4), SLICE);
  for (const lines of waiting) {
    waiting.delete(lines);
    while (lines.step()) {
      if (performance.now() >= until) {
        waiting.add(lines);
        schedule();
        return;
      }
    }
  }
  if (waiting.size > 0) {
    schedule();
  }
}
