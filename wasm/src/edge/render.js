// The interpreter of a batch: numbers and one string in, nodes made with createElement and text nodes out.
// wasm/src/core/engine/batch.rs writes what is read here; the two files change together.
import { HELD, hold, release } from "./images.js";

const NAME = 1;
const ELEMENT = 2;
const TEXT = 3;
const APPEND = 4;
const SPLICE = 5;
const ATTRIBUTE = 6;
const NO_ATTRIBUTE = 7;
const REMOVE = 8;
const FORGET = 9;
const WRAP = 10;

// A long text is a row of text nodes: adding to a node costs its length.
const ROW = 1024;

// A batch of so many numbers needs no array of its own.
const SMALL = 256;

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

/** The nodes of one engine in one container. What stood in the container before stays, in front. */
export class Renderer {
  /** @param {Element} container @param {WebAssembly.Memory} memory where batches are read */
  constructor(container, memory) {
    this.memory = memory;
    // Views of it, made again when it has grown.
    this.numbers = new Uint32Array(memory.buffer);
    this.bytes = new Uint8Array(memory.buffer);
    this.small = new Uint32Array(SMALL);
    this.document = container.ownerDocument;
    this.container = container;
    this.start = container.lastChild;
    this.names = [];
    // Ids are given back and used again, so this is as long as the most nodes that were ever named at once.
    this.nodes = [];
    // The rows of the texts that have more than one.
    this.rows = new Map();
    // The text that the last short append went to, its last node, and how long that is; 0 behind any other batch.
    this.tip = 0;
    this.tipNode = undefined;
    this.tipLength = 0;
    // Hears of blocks of code and of formulas; undefined where nobody wants to know.
    this.watch = undefined;
  }

  /** @param {((container: Element) => object) | undefined} makeWatch */
  observe(makeWatch) {
    this.watch = makeWatch?.(this.container);
  }

  leave() {
    this.watch?.leave();
  }

  /** At most eight UTF-16 units, two in each number: no view of wasm memory, and nothing to decode. */
  appendShort(id, length, a, b, c, d) {
    const text =
      length <= 4
        ? String.fromCharCode(a & 0xffff, a >>> 16, b & 0xffff, b >>> 16)
        : String.fromCharCode(a & 0xffff, a >>> 16, b & 0xffff, b >>> 16, c & 0xffff, c >>> 16, d & 0xffff, d >>> 16);
    this.#appendAtTip(id, text.length === length ? text : text.substring(0, length));
    this.watch?.painted();
  }

  /** Carries out `count` numbers at a place in the memory, with their text: so many bytes, and UTF-16 units. */
  apply(at, count, stringsAt, length, units) {
    const { document, names, nodes } = this;
    this.tip = 0;
    if (this.numbers.length === 0) {
      this.numbers = new Uint32Array(this.memory.buffer);
      this.bytes = new Uint8Array(this.memory.buffer);
    }
    const bytes = this.bytes.subarray(stringsAt, stringsAt + length);
    // Short ASCII is not worth a decoder.
    const strings = units === length && units < 256 ? String.fromCharCode.apply(null, bytes) : decoder.decode(bytes);
    // A copy: the memory may grow and move before the end. A removal can run the page's code, and that can call back into
    // wasm, and so in here.
    const first = at >>> 2;
    let ops = this.small;
    this.small = undefined;
    if (ops === undefined || count > SMALL) {
      this.small = ops;
      ops = this.numbers.slice(first, first + count);
    } else {
      for (let i = 0; i < count; i += 1) {
        ops[i] = this.numbers[first + i];
      }
    }
    const end = count;
    let cursor = 0;
    for (let i = 0; i < end; ) {
      const id = ops[i + 1];
      switch (ops[i]) {
        case NAME:
          names[id] = strings.substring(cursor, (cursor += ops[i + 2]));
          i += 3;
          break;
        case ELEMENT: {
          const node = document.createElement(names[ops[i + 2]]);
          this.#place(node, ops[i + 3], ops[i + 4]);
          nodes[id] = node;
          this.watch?.made(node);
          i += 5;
          break;
        }
        case TEXT: {
          const text = strings.substring(cursor, (cursor += ops[i + 4]));
          const cut = rowEnd(text, 0);
          const node = document.createTextNode(cut === text.length ? text : text.substring(0, cut));
          this.#place(node, ops[i + 2], ops[i + 3]);
          nodes[id] = node;
          if (cut < text.length) {
            this.#append(id, text.substring(cut));
          }
          i += 5;
          break;
        }
        case APPEND:
          this.#append(id, strings.substring(cursor, (cursor += ops[i + 2])));
          i += 3;
          break;
        case SPLICE:
          this.watch?.cut(nodes[id], ops[i + 2]);
          this.#truncate(id, ops[i + 2]);
          this.#append(id, strings.substring(cursor, (cursor += ops[i + 3])));
          i += 4;
          break;
        case ATTRIBUTE: {
          const name = names[ops[i + 2]];
          const value = strings.substring(cursor, (cursor += ops[i + 3]));
          if (name === HELD) {
            hold(nodes[id], value);
          } else {
            nodes[id].setAttribute(name, value);
          }
          i += 4;
          break;
        }
        case NO_ATTRIBUTE: {
          const name = names[ops[i + 2]];
          if (name === HELD) {
            release(nodes[id]);
          } else {
            nodes[id].removeAttribute(name);
          }
          i += 3;
          break;
        }
        case REMOVE:
          for (const row of this.rows.get(id) ?? [nodes[id]]) {
            row.remove();
          }
          i += 2;
          break;
        case FORGET:
          this.watch?.finished(nodes[id]);
          nodes[id] = undefined;
          this.rows.delete(id);
          i += 2;
          break;
        case WRAP: {
          const node = document.createElement(names[ops[i + 2]]);
          const last = this.#last(ops[i + 4]);
          const selection = document.getSelection();
          const ends = selection && [
            selection.anchorNode,
            selection.anchorOffset,
            selection.focusNode,
            selection.focusOffset,
          ];
          nodes[ops[i + 3]].before(node);
          do {
            node.append(node.nextSibling);
          } while (node.lastChild !== last);
          // A node that moves loses the selection in it.
          if (ends !== null && ends[0] !== null && (node.contains(ends[0]) || node.contains(ends[2]))) {
            selection.setBaseAndExtent(...ends);
          }
          nodes[id] = node;
          i += 5;
          break;
        }
        default:
          throw new Error(`riacho: operation ${ops[i]} at ${i} is unknown`);
      }
    }
    if (ops.length === SMALL) {
      this.small = ops;
    }
    this.watch?.painted();
  }

  /** The last node of a text, or the element itself. */
  #last(id) {
    const rows = this.rows.get(id);
    return rows === undefined ? this.nodes[id] : rows[rows.length - 1];
  }

  /** As `#append`, for one text that grows by many small pieces: nothing is looked up, and no length asked of the DOM. */
  #appendAtTip(id, text) {
    if (id === this.tip && this.tipLength + text.length <= ROW) {
      this.tipLength += text.length;
      this.tipNode.appendData(text);
      return;
    }
    this.#append(id, text);
    this.tip = id;
    this.tipNode = this.#last(id);
    this.tipLength = this.tipNode.length;
  }

  #append(id, text) {
    let last = this.#last(id);
    if (last.length + text.length <= ROW) {
      last.appendData(text);
      return;
    }
    let rows = this.rows.get(id);
    if (rows === undefined) {
      this.rows.set(id, (rows = [last]));
    }
    for (let at = 0; at < text.length; ) {
      const end = rowEnd(text, at);
      const row = this.document.createTextNode(text.substring(at, end));
      last.after(row);
      rows.push((last = row));
      at = end;
    }
  }

  // deleteData and not data: a selection in what stays is kept.
  #truncate(id, keep) {
    const rows = this.rows.get(id);
    let last = this.nodes[id];
    if (rows !== undefined) {
      let length = 0;
      for (const row of rows) {
        length += row.length;
      }
      while (rows.length > 1 && length - rows[rows.length - 1].length >= keep) {
        const row = rows.pop();
        length -= row.length;
        row.remove();
      }
      last = rows[rows.length - 1];
      keep -= length - last.length;
      if (rows.length === 1) {
        this.rows.delete(id);
      }
    }
    if (last.length > keep) {
      last.deleteData(keep, last.length - keep);
    }
  }

  // insertBefore and not after or prepend, which take any number of nodes and strings: they cost more.
  #place(node, parent, prev) {
    if (prev !== 0) {
      const last = this.#last(prev);
      // The page may have taken it out.
      last.parentNode?.insertBefore(node, last.nextSibling);
    } else if (parent !== 0) {
      const element = this.nodes[parent];
      element.insertBefore(node, element.firstChild);
    } else if (this.start === null) {
      this.container.insertBefore(node, this.container.firstChild);
    } else {
      this.start.after(node);
    }
  }
}

/** Where the row that begins at `from` ends: never between the halves of a surrogate pair. */
function rowEnd(text, from) {
  const end = from + ROW;
  if (end >= text.length) {
    return text.length;
  }
  const code = text.charCodeAt(end - 1);
  return code >= 0xd800 && code < 0xdc00 ? end - 1 : end;
}
