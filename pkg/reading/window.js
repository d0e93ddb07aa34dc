// Elements for what is near the view, and room for the rest: a conversation of thousands costs what a screen of it does.
import { coded } from "../src/error.js";
import { placeOf } from "./place.js";

/** In heights of the scroller: so much beyond each edge is there before it is seen, and so much may stay behind it. */
const READY = 1;
const KEPT = 3;
/** CSS pixels that a message is taken for until it has been seen, and the least room that one leaves. */
const GUESS = 160;
const LEAST = 24;
/** Put up around a place that was jumped to; more follow once these have been measured. */
const AROUND = 24;
/** So many stay wherever they are: a short conversation is all there, for the browser's own search too. */
const FEW = 40;
/** So many stay at most for the sake of a selection, the focus, or an answer that is being written. */
const MOST = 200;
const ROUNDS = 6;

/**
 * Moves the window of a client that was made with `window` as the reader scrolls. What is above and below the messages that
 * have an element is padding of the view; nothing jumps. Returns the function that ends it.
 *
 * @param {import("../index.js").ChatClient} chat
 * @param {{ scroller: Element, root?: Element }} options
 */
export function windowed(chat, { scroller, root = scroller }) {
  if (!(scroller instanceof Element)) {
    throw coded("bad_scroller", "windowed(chat, { scroller }) needs the element that scrolls");
  }
  const anchoring = scroller.style.overflowAnchor;
  // Two who keep the place would move it twice.
  scroller.style.overflowAnchor = "none";
  const place = placeOf(scroller, root);
  let view;
  /** Room in CSS pixels, and for how many messages, as the client had them when this last looked. */
  let above;
  let below;

  /** Changes the window, the room, or both, and leaves in its place what `anchor` is. */
  const change = (anchor, range, extra = { above: 0, below: 0 }) => {
    const top = anchor.getBoundingClientRect().top;
    const height = view.getBoundingClientRect().height;
    chat.setWindow(range);
    const moved = anchor.getBoundingClientRect().top - top;
    const grown = view.getBoundingClientRect().height - height - moved;
    const { start, end, count } = chat.window;
    above = { room: room(above.room + extra.above - moved, start), count: start };
    below = { room: room(below.room + extra.below - grown, count - end), count: count - end };
    write();
    const rest = anchor.getBoundingClientRect().top - top;
    if (Math.abs(rest) >= 0.5) {
      scroller.scrollTop += rest;
    }
  };
  const write = () => {
    view.style.paddingBlock = `${above.room}px ${below.room}px`;
  };
  /** Another conversation; or the client itself has put up or taken down. */
  const look = () => {
    const found = root.querySelector("[data-conversation-view]");
    const { start, end, count } = chat.window;
    if (found !== view) {
      sizes.disconnect();
      view = found;
      above = { room: start * GUESS, count: start };
      below = { room: (count - end) * GUESS, count: count - end };
      if (view === null) {
        return;
      }
      sizes.observe(scroller);
      sizes.observe(view);
      const follows = scroller.scrollTop + scroller.clientHeight >= scroller.scrollHeight - 1;
      write();
      if (follows) {
        scroller.scrollTop = scroller.scrollHeight;
      }
    } else if (view !== null && (start !== above.count || count - end !== below.count)) {
      const anchor = messages().find((element) => element.getBoundingClientRect().bottom > edge().top);
      const extra = { above: GUESS * (start - above.count), below: GUESS * (count - end - below.count) };
      if (anchor === undefined) {
        above = { room: room(above.room + extra.above, start), count: start };
        below = { room: room(below.room + extra.below, count - end), count: count - end };
        write();
      } else {
        change(anchor, { start, end }, extra);
      }
    }
  };
  const messages = () => [...view.children].filter((child) => child.hasAttribute("data-message-id"));
  const edge = () => {
    const top = scroller.getBoundingClientRect().top + scroller.clientTop;
    return { top, bottom: top + scroller.clientHeight, height: scroller.clientHeight };
  };

  /** True when there is more to do. */
  const round = () => {
    const elements = messages();
    const { start, end, count } = chat.window;
    const seen = edge();
    if (elements.length === 0) {
      return false;
    }
    const boxes = elements.map((element) => element.getBoundingClientRect());
    const [first, last] = [boxes[0].top, boxes.at(-1).bottom];
    if ((first > seen.bottom && start > 0) || (last < seen.top && end < count)) {
      jump(seen, last - first);
      return true;
    }
    const average = Math.max(LEAST, (last - first) / elements.length);
    const wanted = (distance) => (distance <= 0 ? 0 : Math.min(AROUND, Math.ceil(distance / average) + 1));
    const more = {
      above: Math.min(start, wanted(first - (seen.top - READY * seen.height))),
      below: Math.min(count - end, wanted(seen.bottom + READY * seen.height - last)),
    };
    const pinned = elements.length > MOST ? [] : pins(elements);
    const far = {
      above: Math.min(boxes.findIndex((box) => box.bottom >= seen.top - KEPT * seen.height), ...pinned),
      below: Math.min(
        boxes.toReversed().findIndex((box) => box.top <= seen.bottom + KEPT * seen.height),
        ...pinned.map((at) => elements.length - 1 - at),
      ),
    };
    const spare = Math.max(0, elements.length - FEW);
    const gone = { above: Math.min(spare, Math.max(0, far.above)) };
    gone.below = Math.min(spare - gone.above, Math.max(0, far.below));
    const range = { start: start - more.above + gone.above, end: end + more.below - gone.below };
    if (range.start === start && range.end === end) {
      return false;
    }
    const anchor = boxes.findIndex((box) => box.bottom > seen.top);
    change(elements[Math.max(0, anchor)], range);
    return true;
  };
  /** The view stands where there is only room: what belongs there is put up around it. */
  const jump = (seen, height) => {
    const { start, end, count } = chat.window;
    const total = above.room + height + below.room;
    const middle = seen.top + seen.height / 2 - view.getBoundingClientRect().top;
    const inside = middle - above.room - height;
    const at =
      middle < above.room ? (start * middle) / above.room : end + ((count - end) * inside) / Math.max(1, below.room);
    const from = Math.max(0, Math.min(count - AROUND, Math.round(at - AROUND / 2)));
    chat.setWindow({ start: from, end: from + AROUND });
    const now = chat.window;
    const boxes = messages().map((element) => element.getBoundingClientRect());
    const block = boxes.length === 0 ? 0 : boxes.at(-1).bottom - boxes[0].top;
    const rest = count - now.end;
    const before = rest === 0 ? total - block : middle - block / 2;
    above = { room: room(before, now.start), count: now.start };
    below = { room: room(total - above.room - block, rest), count: rest };
    write();
    place.keep(chat);
  };
  /** Places of what must not go while it can be helped. */
  const pins = (elements) => {
    const selection = getSelection();
    const held = [document.activeElement];
    if (selection !== null && !selection.isCollapsed) {
      held.push(selection.anchorNode, selection.focusNode);
    }
    const places = held.map((node) => elements.findIndex((element) => element.contains(node)));
    elements.forEach(({ dataset }, at) => {
      if (dataset.status === "pending" || dataset.status === "streaming") {
        places.push(at);
      }
    });
    return places.filter((at) => at >= 0);
  };

  const step = () => {
    try {
      place.settle();
      look();
      for (let n = 0; view !== null && n < ROUNDS && round(); n += 1);
    } catch (error) {
      if (error.code !== "closed") {
        throw error;
      }
      stop();
    }
  };
  let frame;
  const soon = () => {
    frame ??= requestAnimationFrame(() => {
      frame = undefined;
      step();
    });
  };
  const sizes = new ResizeObserver(soon);
  const off = ["message", "opened", "joined", "history"].map((type) => chat.on(type, soon));
  /** What has an element keeps it, and what has none keeps its room. */
  const stop = () => {
    off.forEach((end) => end());
    place.leave(chat);
    sizes.disconnect();
    cancelAnimationFrame(frame);
    scroller.removeEventListener("scroll", step);
    scroller.style.overflowAnchor = anchoring;
  };
  scroller.addEventListener("scroll", step, { passive: true });
  place.keep(chat);
  step();
  return stop;
}

/** Messages that have no element leave some room; where there are none, there is none. */
function room(pixels, count) {
  return count === 0 ? 0 : Math.max(pixels, count * LEAST);
}
