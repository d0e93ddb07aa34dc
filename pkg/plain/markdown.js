// A markdown stream as plain text: text nodes, and nothing else.

export class PlainMarkdown {
  #element;
  text = "";

  /** What a dead stream left in the container goes; what was there before it stays. */
  constructor(container, before = container.childNodes.length, text = "") {
    while (container.childNodes.length > before) {
      container.lastChild.remove();
    }
    this.#element = container.ownerDocument.createElement("div");
    plainText(this.#element);
    container.append(this.#element);
    this.push(text);
  }

  push(text) {
    this.text += text;
    append(this.#element, text);
  }

  pushCut(text) {
    this.push(text);
    return false;
  }

  flush() {}

  async end() {}

  free() {}
}

/** Line breaks and indentation as they were written. */
export function plainText(element) {
  element.classList.add("riacho-plain");
  // By the object model, which every content policy allows: a page may not have our style sheet.
  element.style.whiteSpace = "pre-wrap";
}

/**
 * What turns text around, hides in it, or is no character that is shown. As the engine has it, but that every flag of tags
 * goes, and runs of what has no width are not capped.
 */
const LIES = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]|\udb40(?:[\udc00-\udc7f]|$)/g;

/** A text node that grows forever costs more with each append: after a while the next one begins. */
const NODE = 4096;

export function append(element, text) {
  if (text === "") {
    return;
  }
  const shown = text.replace(LIES, "\ufffd");
  const last = element.lastChild;
  if (last instanceof Text && last.length < NODE) {
    last.appendData(shown);
  } else {
    element.append(shown);
  }
}
