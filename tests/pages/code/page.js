// A page whose blocks of code are coloured, counted and taken over; the tests drive it.

const complaints = [];
globalThis.complaints = complaints;
addEventListener("error", (event) => complaints.push(event.message));
addEventListener("unhandledrejection", (event) => complaints.push(String(event.reason)));
document.addEventListener("securitypolicyviolation", (event) => {
  complaints.push(`${event.violatedDirective} ${event.blockedURI}`);
});

if (location.search === "?spans") {
  // As browsers were before they had it.
  delete globalThis.Highlight;
}
const { default: init, ChatClient, MarkdownStream } = await import("./riacho/index.js");
const { shiki } = await import("./riacho/shiki/index.js");

globalThis.frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));

/** Shiki, and every line that it was given, in order. */
globalThis.counted = (options) => {
  const seen = [];
  const inner = shiki({ worker: "vendor/shiki/worker.js", ...options });
  const highlight = async (language) => {
    const session = await inner(language);
    if (session === undefined) {
      return undefined;
    }
    return {
      lines: async (lines) => {
        const answer = await session.lines(lines);
        seen.push(...lines);
        return answer;
      },
      close: () => session.close(),
    };
  };
  return { highlight, seen };
};

/** A stream in the root, and what it said. */
globalThis.stream = (options) => {
  const root = document.getElementById("root");
  root.replaceChildren();
  const events = [];
  const markdown = new MarkdownStream(root, options);
  markdown.on("*", (event) => events.push(event));
  return { root, markdown, events };
};

/** Pushes a text in pieces of so many characters, some pieces a frame. */
globalThis.feed = async (markdown, text, step, piecesAFrame) => {
  let pieces = 0;
  for (let at = 0; at < text.length; at += step) {
    markdown.push(text.slice(at, at + step));
    pieces += 1;
    if (pieces % piecesAFrame === 0) {
      await frame();
    }
  }
};

/** Every node of the text that is removed, from now on. */
globalThis.removals = (root) => {
  const removed = [];
  const observer = new MutationObserver((records) => {
    // A header may put other words into itself.
    const ofTheText = records.filter(({ target }) => (target.closest?.("[data-riacho-ui]") ?? null) === null);
    removed.push(...ofTheText.flatMap(({ removedNodes }) => [...removedNodes].map((node) => node.nodeName)));
  });
  observer.observe(root, { childList: true, subtree: true });
  return removed;
};

/** The colours of a block as the page has them: `[start, end, colour]`, and those that touch with one colour as one. */
globalThis.colours = (code) => {
  const found = [];
  const before = document.createRange();
  const offset = (node, at) => {
    before.setStart(code, 0);
    before.setEnd(node, at);
    return before.toString().length;
  };
  const rules = new Map(
    document.adoptedStyleSheets.flatMap((sheet) => [...sheet.cssRules].map((rule) => [rule.selectorText, rule.style.color])),
  );
  for (const [name, highlight] of globalThis.CSS.highlights ?? []) {
    for (const range of highlight) {
      if (code.contains(range.startContainer)) {
        const ends = [offset(range.startContainer, range.startOffset), offset(range.endContainer, range.endOffset)];
        found.push([...ends, rules.get(`::highlight(${name})`)]);
      }
    }
  }
  for (const span of code.querySelectorAll("span")) {
    const start = offset(span, 0);
    found.push([start, start + span.textContent.length, rules.get(`.${span.className}`)]);
  }
  found.sort((a, b) => a[0] - b[0]);
  return found.reduce((joined, next) => {
    const last = joined.at(-1);
    if (last?.[1] === next[0] && last[2] === next[2]) {
      last[1] = next[1];
    } else {
      joined.push(next);
    }
    return joined;
  }, []);
};

await init();
Object.assign(globalThis, { ChatClient, MarkdownStream, shiki });
globalThis.ready = true;
