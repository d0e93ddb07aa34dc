// The colours of one block of code, kept as offsets, and shown where the reader looks.
import { createSpans } from "./spans.js";
import { bringColors, colorName, isNative, show, watchView } from "./view.js";

/** Start, end and colour of each range, one behind the other, in order. */
const FIELDS = 3;

export class Tint {
  #code;
  #ranges = [];
  /** The text nodes of the code: where each begins. */
  #rows = [];
  /** What is on the page: ranges `from` to `to`, and what stands for them there. */
  #from = 0;
  #to = 0;
  #shown = [];

  constructor(code) {
    this.#code = code;
    if (isNative) {
      watchView(code, this);
    }
  }

  get lastRow() {
    return this.#rows.at(-1);
  }

  addRow(node, start) {
    this.#rows.push({ node, start });
  }

  /** Of the text only this much stays; the colours end before that. */
  cut(keep) {
    while (this.#rows.length > 1 && this.lastRow.start >= keep) {
      this.#rows.pop();
    }
  }

  /** Ranges come in order, and do not overlap; what does is left out. */
  add(start, end, color) {
    if (Number.isInteger(start) && start < end && start >= (this.#ranges.at(-2) ?? 0)) {
      const name = colorName(color);
      if (name !== undefined) {
        this.#ranges.push(start, end, name);
      }
    }
  }

  /** There are more of them. */
  draw() {
    if (isNative) {
      show();
    }
  }

  /** The text will not change any more. */
  finish() {
    if (!isNative) {
      bringColors(this.#code);
      createSpans(this.#code, this.#rows, this.#ranges);
    }
  }

  clear() {
    this.#ranges = [];
    this.#rows = [];
    this.look(undefined);
  }

  /** Shows the ranges between these heights of the window, and no others: each one costs the browser time, each frame. */
  look(view) {
    const [from, to] = view === undefined ? [0, 0] : this.#seen(view);
    if (from === this.#from && to === this.#to) {
      return;
    }
    const shown = [];
    for (let at = from; at < to; at += 1) {
      const kept = at >= this.#from && at < this.#to ? this.#shown[at - this.#from] : undefined;
      shown.push(kept ?? this.#put(at));
    }
    this.#shown.forEach(([name, range], index) => {
      const at = this.#from + index;
      if (at < from || at >= to) {
        name.delete(range);
      }
    });
    [this.#from, this.#to, this.#shown] = [from, to, shown];
  }

  #put(at) {
    const [start, end, name] = this.#ranges.slice(at * FIELDS, at * FIELDS + FIELDS);
    const first = this.#rowAt(start);
    const last = this.#rowAt(end - 1);
    const range = new StaticRange({
      startContainer: first.node,
      startOffset: start - first.start,
      endContainer: last.node,
      endOffset: end - last.start,
    });
    name.add(range);
    return [name, range];
  }

  #seen({ top, bottom }) {
    const count = this.#ranges.length / FIELDS;
    const box = this.#code.getBoundingClientRect();
    if (count === 0 || !this.#code.isConnected || box.bottom < top || box.top > bottom || box.height === 0) {
      return [0, 0];
    }
    bringColors(this.#code);
    if (box.top >= top && box.bottom <= bottom) {
      return [0, count];
    }
    const range = this.#code.ownerDocument.createRange();
    const place = (row) => {
      range.selectNodeContents(row.node);
      return range.getBoundingClientRect();
    };
    const first = this.#rows[lowest(this.#rows.length, (at) => place(this.#rows[at]).bottom >= top)];
    const behind = this.#rows[lowest(this.#rows.length, (at) => place(this.#rows[at]).top > bottom)];
    const before = (offset) => lowest(count, (at) => this.#ranges[at * FIELDS] >= offset);
    return [first === undefined ? count : before(first.start), behind === undefined ? count : before(behind.start)];
  }

  #rowAt(offset) {
    return this.#rows[lowest(this.#rows.length, (at) => this.#rows[at].start > offset) - 1];
  }
}

/** The lowest number below `count` for which it holds, or `count`. It must hold for all that follow. */
function lowest(count, holds) {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(middle)) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}
