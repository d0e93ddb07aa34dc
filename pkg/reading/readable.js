// What markdown leaves out for some of its readers: who speaks, where a list begins, what a box means, how to scroll without a pointer.
import { coded } from "../src/error.js";

/** What has something beside its text. Paragraphs and headings go their own way by `unicode-bidi` in riacho.css. */
const SIDED = "ul, ol, blockquote, table, details";
/** What riacho.css lets scroll sideways. */
const SCROLLED = "pre > code, table";
const BOX = 'li input[type="checkbox"]';
const MESSAGE = ".message[data-role]";
const ALL = `${MESSAGE}, ${SIDED}, ${SCROLLED}, ${BOX}`;
const WORDS = { done: "done", open: "to do", user: "You", assistant: "Answer" };

/**
 * Gives, as they come: a name to each message, which says who speaks; `dir="auto"` to the outermost list, quote or table,
 * so that its markers and borders stand where its text begins; a name to the box of a task; a place in the order of the Tab
 * key to what scrolls. Returns the function that ends it.
 *
 * @param {{ root: Element, words?: { user?: string, assistant?: string, done?: string, open?: string } }} options
 */
export function readable({ root, words = {} }) {
  if (!(root instanceof Element)) {
    throw coded("bad_root", "readable({ root }) needs the element that holds the messages");
  }
  const word = (name) => words[name] ?? WORDS[name];
  const mend = (block) => {
    if (block.matches(MESSAGE)) {
      // One that has a name has it from the page.
      const name = block.hasAttribute("aria-label") ? undefined : word(block.dataset.role);
      if (name !== undefined) {
        block.setAttribute("aria-label", name);
      }
      return;
    }
    if (block.closest(".message-content") === null) {
      return;
    }
    if (block.matches(SIDED) && block.parentElement.closest(".message-content [dir=auto]") === null) {
      block.setAttribute("dir", "auto");
    }
    if (block.matches(SCROLLED)) {
      block.setAttribute("tabindex", "0");
    }
    if (block.matches(BOX)) {
      block.setAttribute("aria-label", word(block.checked ? "done" : "open"));
    }
  };
  const look = (node) => {
    if (node.nodeType === Node.ELEMENT_NODE) {
      if (node.matches(ALL)) {
        mend(node);
      }
      if (node.firstElementChild !== null) {
        node.querySelectorAll(ALL).forEach(mend);
      }
    }
  };
  const observer = new MutationObserver((changes) => changes.forEach(({ addedNodes }) => addedNodes.forEach(look)));
  observer.observe(root, { subtree: true, childList: true });
  look(root);
  return () => observer.disconnect();
}
