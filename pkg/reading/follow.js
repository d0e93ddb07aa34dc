// Keeps a scroller at its end while text comes in, for as long as the reader is there; and never fights the reader.
import { coded } from "../src/error.js";
import { placeOf } from "./place.js";

/** Within this many CSS pixels of the end the reader counts as being at it. */
const NEAR = 48;

/**
 * Follows the end of `scroller`. A reader who scrolls up, or who is selecting, is left alone; who comes back to the end
 * is followed again. Text that comes in above (older messages) does not move what is being read.
 *
 * @param {Element} scroller
 * @param {{ onchange?: (state: { following: boolean }) => void, root?: Element }} [options]
 */
export function followEnd(scroller, { onchange, root = scroller } = {}) {
  if (!(scroller instanceof Element)) {
    throw coded("bad_scroller", "followEnd(element) needs the element that scrolls");
  }
  let following = true;
  let held = false;
  let last = scroller.scrollTop;
  const place = placeOf(scroller, root);
  const keeper = {};
  const end = () => scroller.scrollHeight - scroller.clientHeight;
  const set = (value) => {
    if (following !== value) {
      following = value;
      if (following) {
        place.leave(keeper);
      } else {
        place.keep(keeper);
      }
      onchange?.({ following });
    }
  };
  const selecting = () => {
    const selection = getSelection();
    return held && selection !== null && !selection.isCollapsed && root.contains(selection.anchorNode);
  };
  const settle = () => {
    if (following && !selecting()) {
      scroller.scrollTop = end();
    }
    last = scroller.scrollTop;
  };
  const scrolled = () => {
    place.settle();
    // Text that came in since has moved the end, not the reader: only who went up has left it.
    if (end() - scroller.scrollTop <= NEAR) {
      set(true);
    } else if (scroller.scrollTop < last - 1) {
      set(false);
    }
    last = scroller.scrollTop;
  };
  /** The wheel says what the reader wants before the position does: the text may grow in between. */
  const wheel = (event) => {
    if (event.deltaY < 0 && scroller.scrollTop > 0) {
      set(false);
    }
  };
  const press = () => (held = true);
  const release = () => {
    held = false;
    settle();
  };

  const sizes = new ResizeObserver(settle);
  const watch = () => {
    sizes.disconnect();
    sizes.observe(scroller);
    for (const child of root.children) {
      sizes.observe(child);
    }
  };
  // Another conversation is another view.
  const views = new MutationObserver(() => {
    watch();
    set(true);
    settle();
  });
  views.observe(root, { childList: true });
  watch();
  scroller.addEventListener("scroll", scrolled, { passive: true });
  scroller.addEventListener("wheel", wheel, { passive: true });
  scroller.addEventListener("pointerdown", press, { passive: true });
  addEventListener("pointerup", release);
  addEventListener("pointercancel", release);
  settle();

  return {
    get following() {
      return following;
    },
    /** To the end, and follow it from now on. */
    toEnd() {
      set(true);
      scroller.scrollTop = end();
      last = scroller.scrollTop;
    },
    /** Lets the scroller go. */
    stop() {
      place.leave(keeper);
      sizes.disconnect();
      views.disconnect();
      scroller.removeEventListener("scroll", scrolled);
      scroller.removeEventListener("wheel", wheel);
      scroller.removeEventListener("pointerdown", press);
      removeEventListener("pointerup", release);
      removeEventListener("pointercancel", release);
    },
  };
}
