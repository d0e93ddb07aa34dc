// The place of a reader: the first message that can be seen stays where it is, whatever comes in above it.

/** Changes of less than this many CSS pixels are rounding. */
const STILL = 1;

/** One for each scroller: of two, each would take the other's work for the reader's. */
const places = new WeakMap();

export function placeOf(scroller, root) {
  if (!places.has(scroller)) {
    places.set(scroller, new Place(scroller, root));
  }
  return places.get(scroller);
}

class Place {
  #scroller;
  #root;
  /** The first message that can be seen, where its top was, and how far the scroller had been scrolled then. */
  #mark;
  /** Who wants it kept. */
  #keepers = new Set();
  /** Text does not wait for a frame. By the next one the reader may have scrolled, and who is told of both at once can't tell them apart. */
  #news = new MutationObserver((changes) => {
    this.settle();
    if (changes.some(({ target }) => target === this.#root)) {
      // Another conversation is another view.
      this.#watch();
    }
  });
  /** Images and fonts change sizes, and no nodes. */
  #sizes = new ResizeObserver(() => this.settle());

  constructor(scroller, root) {
    this.#scroller = scroller;
    this.#root = root;
  }

  /** From now on what is being read stays where it is, until this keeper leaves. */
  keep(keeper) {
    this.#keepers.add(keeper);
    this.#watch();
  }

  leave(keeper) {
    this.#keepers.delete(keeper);
    if (this.#keepers.size === 0) {
      this.#unwatch();
    }
  }

  #watch() {
    this.#unwatch();
    this.#news.observe(this.#root, { childList: true, subtree: true, characterData: true });
    [this.#scroller, ...this.#root.children].forEach((element) => this.#sizes.observe(element));
    this.#look();
  }

  #unwatch() {
    this.#news.disconnect();
    this.#sizes.disconnect();
    this.#mark = undefined;
  }

  /** Takes back what has moved the text under the reader since the last call; what the reader did stands. */
  settle() {
    const mark = this.#mark;
    if (mark?.element?.isConnected) {
      const moved = this.#top(mark.element) - mark.top;
      const scrolled = this.#scroller.scrollTop - mark.scrolled;
      // Where somebody else has kept the place already, nothing has moved. A browser that does so has scrolled for it.
      const grown = Math.abs(scrolled) >= STILL && this.#isAnchored() ? 0 : moved + scrolled;
      if (Math.abs(moved) >= STILL && Math.abs(grown) >= STILL) {
        this.#scroller.scrollTop += grown;
      }
    }
    if (mark !== undefined) {
      this.#look();
    }
  }

  #isAnchored() {
    return CSS.supports("overflow-anchor", "auto") && getComputedStyle(this.#scroller).overflowAnchor !== "none";
  }

  /** Below the scroller's own top: the page may move, too. */
  #top(element) {
    return element.getBoundingClientRect().top - this.#scroller.getBoundingClientRect().top;
  }

  /** What is being read now is what has to stay. */
  #look() {
    const messages = this.#root.querySelectorAll("[data-message-id]");
    const edge = this.#scroller.getBoundingClientRect().top;
    // Messages stand in order: the first that ends below the top edge is found by halving.
    let [low, high] = [0, messages.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (messages[middle].getBoundingClientRect().bottom > edge) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    const element = messages[low];
    this.#mark = { element, top: element && this.#top(element), scrolled: this.#scroller.scrollTop };
  }
}
