// MarkdownStream: text in, the DOM of one element out.
import { Markdown, allowImages } from "../dist/riacho.js";
import { coded } from "./error.js";
import { listed, origin } from "./images.js";
import { assertStarted } from "./loader.js";

let count = 0;

export class MarkdownStream {
  #inner;
  #container;
  /** The last text ended in half a character: the next one begins with the other half. */
  #cut = false;

  /**
   * @param {Element} container what is in it stays; the stream's nodes come behind
   * @param {{ idPrefix?: string, images?: string[] }} [options]
   */
  constructor(container, options = {}) {
    assertStarted("MarkdownStream");
    if (!(container instanceof Element)) {
      throw coded("bad_container", "MarkdownStream needs an element to write into");
    }
    count += 1;
    this.#container = container;
    this.#inner = new Markdown(container, String(options.idPrefix ?? `stream-${count}`), listed(options.images));
  }

  /** Cheap: what is on screen follows on the next frame. */
  push(text) {
    const inner = this.#use();
    const chunk = String(text);
    // JavaScript may cut a surrogate pair between two strings; whole text takes the short way.
    if (this.#cut || (chunk.charCodeAt(chunk.length - 1) & 0xfc00) === 0xd800) {
      this.#cut = inner.pushCut(chunk);
    } else {
      inner.push(chunk);
    }
  }

  /** Brings the DOM up to date now. */
  flush() {
    this.#use().flush();
  }

  /** The text is whole; resolves when the DOM is final. */
  end() {
    return this.#use().end();
  }

  /** Loads the images that wait, and those to come: all, or those of one origin. */
  loadImages(options = {}) {
    this.#use();
    allowImages(this.#container, undefined, origin(options.origin));
  }

  /** The raw text so far. */
  get text() {
    return this.#use().text;
  }

  /** Lets the memory go; the DOM stays. Idempotent, and not needed: what is forgotten is collected. */
  free() {
    this.#inner?.free();
    this.#inner = undefined;
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
