// Hears of blocks of code and of formulas as they are made, and fetches what is done with them when the first one comes.

import { coded } from "./error.js";

/**
 * What a page asked for: `codeHeader`, `highlight`, `blocks`. Undefined if all of it is turned off.
 * @param {object} options
 * @param {(event: object) => void} emit
 * @returns {((container: Element) => Watch) | undefined}
 */
export function watching(options, emit) {
  const { codeHeader = true, highlight, blocks, recorder } = options;
  if (highlight !== undefined && typeof highlight !== "function") {
    throw coded("bad_highlight", "highlight is a function, such as shiki() gives back");
  }
  for (const [language, take] of Object.entries(blocks ?? {})) {
    if (typeof take !== "function" || language !== language.toLowerCase()) {
      throw coded("bad_blocks", `blocks has functions, by the language of a fence in lower case: not so ${language}`);
    }
  }
  if (codeHeader === false && highlight === undefined && blocks === undefined) {
    return undefined;
  }
  const settings = { header: codeHeader, highlight, blocks, emit, recorder };
  return (container) => new Watch(container, settings);
}

let fetching;

/** The blocks of one container. The renderer calls this in the midst of its work: nothing of the page's runs in here. */
class Watch {
  /** Element → what is done with it; undefined until that has been fetched. Finished ones are not listed. */
  #open = new Map();
  /** Those that were finished before it had been fetched. */
  #late = new Set();
  #container;
  #settings;
  #asked = false;
  /** Undefined until it has been fetched; null once nothing is to be done any more. */
  #team;

  constructor(container, settings) {
    this.#container = container;
    this.#settings = settings;
  }

  /** An element is in its place. Nothing is in it yet, and attributes follow. */
  made(element) {
    const name = element.localName;
    if (
      (name === "code" && element.parentNode.localName === "pre") ||
      (name === "span" && this.#settings.blocks !== undefined)
    ) {
      this.#open.set(element, undefined);
    }
  }

  /** Of this text only the first `keep` UTF-16 units stay. */
  cut(text, keep) {
    this.#open.get(text.parentNode)?.cut(text, keep);
  }

  /** Nothing in this node will change any more. */
  finished(node) {
    if (this.#open.has(node)) {
      const block = this.#open.get(node);
      this.#open.delete(node);
      this.#take(node, block, true);
    }
  }

  /** All of a batch is done. */
  painted() {
    // Called for each chunk: while there is nobody to tell, those that are listed wait.
    if (this.#open.size === 0 || (this.#asked && this.#team === undefined)) {
      return;
    }
    for (const [element, block] of this.#open) {
      if (!this.#container.contains(element)) {
        block?.leave();
        this.#open.delete(element);
      } else {
        this.#take(element, block, false);
      }
    }
  }

  leave() {
    this.#open.clear();
    this.#late.clear();
    this.#team?.leave();
    this.#team = null;
  }

  #take(element, block, finished) {
    if (block !== undefined) {
      block.update(finished);
    } else if (element.localName === "span" && !element.classList.contains("math")) {
      // A batch brings an element with its attributes: it is none of ours.
      this.#open.delete(element);
    } else if (this.#team === undefined) {
      this.#fetch(finished ? element : undefined);
    } else if (this.#team !== null) {
      const taken = this.#team.take(element);
      if (!finished) {
        this.#open.set(element, taken);
      }
      taken.update(finished);
    }
  }

  #fetch(finished) {
    if (finished !== undefined) {
      this.#late.add(finished);
    }
    if (this.#asked) {
      return;
    }
    this.#asked = true;
    fetching ??= import("../code/team.js").catch((cause) => {
      // The code is there all the same, without what goes around it. The next message tries again.
      fetching = undefined;
      this.#settings.emit({ type: "code_unavailable", message: String(cause?.message ?? cause) });
    });
    const { recorder } = this.#settings;
    (recorder?.gate(fetching) ?? fetching).then((module) => {
      if (this.#team === null || module === undefined) {
        this.leave();
        return;
      }
      this.#team = new module.Team(this.#settings);
      for (const element of this.#late) {
        if (this.#container.contains(element)) {
          this.#team.take(element).update(true);
        }
      }
      this.#late.clear();
      this.painted();
    });
  }
}
