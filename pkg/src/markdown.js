// MarkdownStream: text in, the DOM of one element out.
import { Markdown, allowImages, sayImages } from "../dist/riacho.js";
import { coded } from "./error.js";
import { Events } from "./events.js";
import { listed, origin } from "./images.js";
import { died, isFatal, live, loadPlain, plainNow, trouble } from "./life.js";
import { CORE, assertStarted } from "./loader.js";
import { watching } from "./watch.js";

const MOST_PIECES = 256;
/** So many UTF-16 units go to the wasm as numbers. */
const MOST_SHORT = 8;
let count = 0;

/** Takes text between the death of the wasm and what comes after it. */
class Waiting {
  #pieces;
  #done = withResolvers();

  constructor(pieces) {
    this.#pieces = pieces;
  }

  get text() {
    return this.#pieces.join("");
  }

  push(text) {
    this.#pieces.push(text);
  }

  pushCut(text) {
    this.push(text);
    return false;
  }

  flush() {}

  end() {
    return this.#done.promise;
  }

  done() {
    this.#done.resolve();
  }

  free() {}
}

/** Two UTF-16 units as a number; behind the end of the text they are 0. */
function pair(text, at) {
  return text.charCodeAt(at) | (text.charCodeAt(at + 1) << 16);
}

function withResolvers() {
  const resolvers = {};
  resolvers.promise = new Promise((resolve) => (resolvers.resolve = resolve));
  return resolvers;
}

export class MarkdownStream {
  #inner;
  #container;
  #before;
  /** Text so far, for the day that the wasm dies. Many small strings cost more than their characters: they are joined. */
  #kept = [];
  #recent = [];
  #forget;
  #onDegraded;
  #events = new Events();
  /** The last text ended in half a character: the next one begins with the other half. */
  #cut = false;

  /**
   * @param {Element} container what is in it stays; the stream's nodes come behind
   * @param {import("../index.js").MarkdownStreamOptions} [options]
   */
  constructor(container, options = {}) {
    assertStarted("MarkdownStream", CORE);
    if (!(container instanceof Element)) {
      throw coded("bad_container", "MarkdownStream needs an element to write into");
    }
    count += 1;
    this.#container = container;
    this.#before = container.childNodes.length;
    this.#onDegraded = options.onDegraded;
    if (trouble() !== undefined) {
      this.#inner = new (plainNow().PlainMarkdown)(container);
      this.#degraded(trouble());
      return;
    }
    this.#forget = live(this);
    const idPrefix = String(options.idPrefix ?? `stream-${count}`);
    const makeWatch = watching(options, (event) => this.#events.emit(event));
    const make = (more) => new Markdown(container, idPrefix, listed(options.images), makeWatch, more?.tape);
    if (options.words?.load_image !== undefined) {
      sayImages(container, String(options.words.load_image));
    }
    this.#inner = options.recorder?.attach("markdown", { ...options, idPrefix }, make) ?? make();
  }

  /** Cheap: what is on screen follows on the next frame. */
  push(chunk) {
    if (typeof chunk !== "string") {
      // Of a provider's stream the first and the last piece often have none: "undefined" in the text would be nobody's wish.
      throw coded("bad_text", `push(text) needs a string, not ${chunk === null ? "null" : typeof chunk}`);
    }
    let taken;
    // JavaScript may cut a surrogate pair between two strings; whole text takes the short way.
    if (this.#cut || (chunk.charCodeAt(chunk.length - 1) & 0xfc00) === 0xd800) {
      this.#cut = this.#call((inner) => inner.pushCut(chunk));
      taken = this.#cut !== undefined;
    } else {
      taken = this.#push(chunk) !== false;
    }
    if (!taken) {
      throw coded("ended", "the stream has ended");
    }
    if (this.#recent.push(chunk) === MOST_PIECES) {
      this.#kept.push(this.#recent.join(""));
      this.#recent.length = 0;
    }
  }

  #push(chunk) {
    // As `#call`, without a closure: this is called for each token.
    try {
      const inner = this.#use();
      const length = chunk.length;
      if (length > MOST_SHORT || !(inner instanceof Markdown)) {
        return inner.push(chunk);
      }
      return length <= 4
        ? inner.pushShort(length, pair(chunk, 0), pair(chunk, 2), 0, 0)
        : inner.pushShort(length, pair(chunk, 0), pair(chunk, 2), pair(chunk, 4), pair(chunk, 6));
    } catch (error) {
      return this.#rescued(error).push(chunk);
    }
  }

  /** Brings the DOM up to date now. */
  flush() {
    try {
      this.#use().flush();
    } catch (error) {
      this.#rescued(error).flush();
    }
  }

  /** The text is whole; resolves when the DOM is final. */
  end() {
    return this.#call((inner) => inner.end());
  }

  /** Calls `listener` for each event of a type, or of every type (`"*"`). Returns the function that ends it. */
  on(type, listener) {
    return this.#events.on(type, listener);
  }

  /** Loads the images that wait, and those to come: all, or those of one origin. */
  loadImages(options = {}) {
    const from = origin(options.origin);
    // Plain text has no images.
    this.#call(() => trouble() === undefined && allowImages(this.#container, undefined, from));
  }

  /** The raw text so far. */
  get text() {
    return this.#call((inner) => inner.text);
  }

  /** Lets the memory go; the DOM stays. Idempotent, and not needed: what is forgotten is collected. */
  free() {
    this.#inner?.free();
    this.#inner = undefined;
    this.#kept = [];
    this.#recent = [];
    this.#forget?.();
  }

  /** The wasm is dead: the text is shown plain. Called by the package, once. */
  takeOver(error) {
    const waiting = new Waiting([...this.#kept, ...this.#recent]);
    this.#inner = waiting;
    loadPlain().then(
      ({ PlainMarkdown }) => {
        if (this.#inner === waiting) {
          this.#inner = new PlainMarkdown(this.#container, this.#before, waiting.text);
          waiting.done();
        }
        this.#degraded(error);
      },
      (cause) => reportError(cause),
    );
  }

  #degraded(error) {
    if (this.#onDegraded !== undefined) {
      queueMicrotask(() => this.#onDegraded(error));
    }
  }

  /** One call of what is behind this; where the wasm dies of it, what comes after the wasm gets it instead. */
  #call(call) {
    try {
      return call(this.#use());
    } catch (error) {
      return call(this.#rescued(error));
    }
  }

  #rescued(error) {
    if (!isFatal(error)) {
      throw error;
    }
    died(error?.message);
    return this.#use();
  }

  [Symbol.dispose ?? Symbol.for("Symbol.dispose")]() {
    this.free();
  }

  #use() {
    if (this.#inner === undefined) {
      throw coded("freed", "this MarkdownStream has been freed");
    }
    return this.#inner;
  }
}
