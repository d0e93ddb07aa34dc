// What is done with the blocks of one container: a header, colours, or a function of the page's that takes a block over.
import { Custom } from "./custom.js";
import { addHeader } from "./header.js";
import { Lines } from "./lines.js";

export class Team {
  #settings;
  /** Blocks that the page's code has taken over: it may have something to clean up. */
  #customs = new Set();

  constructor(settings) {
    this.#settings = settings;
  }

  take(element) {
    return new Block(element, this.#settings, this.#customs);
  }

  /** The container is done with. The colours stay as long as the text does. */
  leave() {
    for (const custom of this.#customs) {
      custom.leave();
    }
    this.#customs.clear();
  }
}

/** The language as one writes it after the fence: `rust` of `rust,ignore`, `js` of `js{1,3}`. */
export function languageOf(element) {
  const found = [...element.classList].find((name) => name.startsWith("language-"));
  return found?.slice("language-".length).split(/[,:{]/)[0] ?? "";
}

/** A block of code, or a formula. */
class Block {
  #element;
  #settings;
  #customs;
  #header;
  #custom;
  #lines;
  #isBegun = false;

  constructor(element, settings, customs) {
    this.#element = element;
    this.#settings = settings;
    this.#customs = customs;
  }

  /** See `Watch.cut`. */
  cut(text, keep) {
    this.#lines?.cut(text, keep);
  }

  /** There may be more text. */
  update(finished) {
    if (!this.#isBegun) {
      this.#begin(finished);
    }
    this.#header?.first();
    this.#custom?.update(finished);
    this.#lines?.update(finished);
  }

  #begin(finished) {
    const element = this.#element;
    const { header, blocks, highlight, emit } = this.#settings;
    const isCode = element.localName === "code";
    const language = isCode ? languageOf(element) : "math";
    if (isCode && header !== false) {
      this.#header ??= addHeader(element, this.#settings);
      this.#header.name(language);
    }
    // The first line says the language, and it is whole when text comes.
    this.#isBegun = finished || element.firstChild !== null;
    if (!this.#isBegun) {
      return;
    }
    const key = language.toLowerCase();
    const take = blocks !== undefined && Object.hasOwn(blocks, key) ? blocks[key] : undefined;
    if (typeof take === "function") {
      this.#custom = new Custom(element, language, take, emit);
      this.#customs.add(this.#custom);
    } else if (isCode && language !== "" && highlight !== undefined) {
      this.#lines = new Lines(element, language, highlight, emit);
    }
  }

  /** The engine has taken the element out. */
  leave() {
    this.#customs.delete(this.#custom);
    this.#custom?.leave();
    this.#lines?.leave();
  }
}
