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

/** A text node that grows forever costs more with each append: after a while the next one begins. */
const NODE = 4096;

export function append(element, text) {
  if (text === "") {
    return;
  }
  const last = element.lastChild;
  if (last instanceof Text && last.length < NODE) {
    last.appendData(text);
  } else {
    element.append(text);
  }
}
