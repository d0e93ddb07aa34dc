// Answers for those who hear them: whole sentences go to a polite live region, at a pace that can be listened to.
import { coded } from "../src/error.js";

const PACE = 2000;
/** So many characters tell where one left off. */
const MARK = 32;
/** Elements whose text stands by itself: a reader pauses between two of them. */
const BLOCKS = "p,h1,h2,h3,h4,h5,h6,li,pre,blockquote,td,th,dt,dd,summary,figcaption";
/** riacho's own controls, and the source of a formula beside the formula. */
const UNSPOKEN = "[data-riacho-ui], annotation";

/**
 * Says the text of each answer on screen in `region`, as it comes: only sentences that have ended, at most one
 * announcement in `pace` milliseconds, and all of the text by the end. What was there before is not read out.
 * Returns the function that ends it.
 *
 * @param {import("../index.js").ChatClient} chat
 * @param {{ region: Element, root: Element, pace?: number }} options
 */
export function announce(chat, { region, root, pace = PACE }) {
  if (!(region instanceof Element) || !(root instanceof Element)) {
    throw coded("bad_region", "announce(chat, { region, root }) needs two elements");
  }
  region.setAttribute("aria-live", "polite");
  region.setAttribute("role", "log");
  /** What has been said of a message, as a number of characters of its spoken text; and whether more may come. */
  const told = new Map();
  let timer;
  let last = -Infinity;

  const say = () => {
    timer = undefined;
    const parts = [];
    for (const [id, state] of told) {
      const spoken = spokenText(root, id);
      const start = place(spoken, state);
      // At a pace of its own the element ends after the answer.
      const over = state.over && !isWriting(root, id);
      const end = over ? spoken.length : sentencesEnd(spoken, start);
      if (end > start) {
        parts.push(spoken.slice(start, end).trim());
        remember(state, spoken, end);
      }
      if (over) {
        told.delete(id);
      }
    }
    const words = parts.filter((part) => part !== "").join("\n");
    if (words !== "") {
      last = performance.now();
      const line = document.createElement("p");
      line.textContent = words;
      region.append(line);
      // A live region says what is added: two lines are enough for one that is still being read.
      while (region.childElementCount > 2) {
        region.firstElementChild.remove();
      }
    }
    if ([...told.values()].some((state) => state.over)) {
      soon();
    }
  };
  const soon = () => {
    if (timer === undefined && told.size > 0) {
      // A frame for the text to be painted, and the rest of the pace.
      timer = setTimeout(say, Math.max(100, last + pace - performance.now()));
    }
  };
  const follow = ({ messageId, conversationId }) => {
    if (conversationId === chat.conversationId && !told.has(messageId)) {
      const spoken = spokenText(root, messageId);
      const state = { over: false };
      remember(state, spoken, spoken.length);
      told.set(messageId, state);
    }
  };

  const off = [
    chat.on("message", (event) => {
      if (event.role === "assistant") {
        // A retry begins again in the same element.
        told.delete(event.messageId);
        follow(event);
      }
    }),
    chat.on("opened", () => told.clear()),
    chat.on("chunk", soon),
    chat.on("status", (event) => {
      if (event.status === "pending" || event.status === "streaming") {
        return;
      }
      const state = told.get(event.messageId);
      if (state !== undefined) {
        state.over = true;
        soon();
      }
    }),
  ];
  return () => {
    off.forEach((end) => end());
    clearTimeout(timer);
  };
}

function remember(state, spoken, length) {
  state.length = length;
  state.mark = spoken.slice(Math.max(0, length - MARK), length);
}

/** Where one left off. Text before it may have changed: a link that was defined late loses its brackets. */
function place(spoken, { length, mark }) {
  // The longest end of what was said last that still stands nearby.
  for (let from = 0; mark.length - from >= 3; from += 1) {
    const end = mark.slice(from);
    const at = spoken.lastIndexOf(end, length + MARK - end.length);
    if (at >= length - 2 * MARK) {
      return at + end.length;
    }
  }
  return Math.min(length, spoken.length);
}

function isWriting(root, id) {
  const status = root.querySelector(`[data-message-id="${CSS.escape(id)}"]`)?.dataset.status;
  return status === "pending" || status === "streaming";
}

/** What a message says: its text without riacho's own controls, a line a block. */
function spokenText(root, id) {
  const content = root.querySelector(`[data-message-id="${CSS.escape(id)}"] > .message-content`);
  if (content === null) {
    return "";
  }
  const lines = [""];
  const walk = (node) => {
    if (node.nodeType === Node.TEXT_NODE) {
      lines[lines.length - 1] += node.data;
    } else if (node.nodeType === Node.ELEMENT_NODE && !node.matches(UNSPOKEN)) {
      const block = node.matches(BLOCKS);
      if (block && lines.at(-1) !== "") {
        lines.push("");
      }
      node.childNodes.forEach(walk);
      if (block && lines.at(-1) !== "") {
        lines.push("");
      }
    }
  };
  content.childNodes.forEach(walk);
  // A block has ended when another one has begun.
  if (lines.at(-1) === "") {
    lines.pop();
  }
  return lines.map((line) => line.replace(/\s+/g, " ")).join("\n");
}

/** Where the last sentence ends that surely has: behind it another one, or another block, has begun. */
function sentencesEnd(text, from) {
  const block = text.lastIndexOf("\n") + 1;
  const start = Math.max(from, block);
  let end = start;
  if (typeof Intl.Segmenter === "function") {
    const segments = [...new Intl.Segmenter(undefined, { granularity: "sentence" }).segment(text.slice(start))];
    // The last segment may be the beginning of a sentence.
    end = start + (segments.at(-1)?.index ?? 0);
  } else {
    for (const match of text.slice(start).matchAll(/[.!?。！？…]["')\]]*\s/gu)) {
      end = start + match.index + match[0].length;
    }
  }
  return Math.max(from, end);
}
