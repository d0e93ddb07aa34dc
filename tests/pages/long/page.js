// A conversation as long as a test wants it, without a relay; and what is counted while one scrolls in it.

const complaints = [];
globalThis.complaints = complaints;
addEventListener("error", (event) => complaints.push(event.message));
addEventListener("unhandledrejection", (event) => complaints.push(String(event.reason)));

const { default: init, ChatClient } = await import("./riacho/index.js");
const { followEnd, windowed } = await import("./riacho/reading/index.js");
await init();

const scroller = document.getElementById("chat");
const id = (n) => `message-${String(n).padStart(5, "0")}`;
const words = "The brook goes on past stones and roots, and nobody hurries it. ";

globalThis.chat = new ChatClient({ root: scroller, storageKey: null, window: 40, codeHeader: false });
chat.open("long");
globalThis.end = followEnd(scroller);
windowed(chat, { scroller });

globalThis.frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
/** Until nothing moves any more. */
globalThis.settled = async () => {
  for (let still = 0, before; still < 3; ) {
    const now = `${scroller.scrollTop} ${scroller.scrollHeight} ${ids().join()}`;
    still = now === before ? still + 1 : 0;
    before = now;
    await frame();
  }
};
/** Messages of one to seven paragraphs, each with its number. */
globalThis.fill = async (count) => {
  for (let n = 0; n < count; n += 1) {
    const role = n % 2 === 0 ? "user" : "assistant";
    chat.handle({ type: "message_started", message_id: id(n), role });
    const content = `Message ${n}.\n\n` + `${words.repeat(n % 3)}\n\n`.repeat(n % 7);
    chat.handle({ type: "message_chunk", message_id: id(n), content });
    chat.handle({ type: "response_complete", message_id: id(n) });
  }
  await settled();
};
globalThis.ids = () => [...scroller.querySelectorAll("[data-message-id]")].map((element) => element.dataset.messageId);
/** The messages that can be seen, and how much of the scroller's height they leave blank. */
globalThis.seen = () => {
  const box = scroller.getBoundingClientRect();
  const shown = [...scroller.querySelectorAll("[data-message-id]")]
    .map((element) => ({ id: element.dataset.messageId, box: element.getBoundingClientRect() }))
    .filter((each) => each.box.bottom > box.top && each.box.top < box.bottom);
  const first = shown.at(0);
  const last = shown.at(-1);
  const covered = first === undefined ? 0 : Math.min(last.box.bottom, box.bottom) - Math.max(first.box.top, box.top);
  return { ids: shown.map((each) => each.id), blank: box.height - covered, first: first?.id, top: first?.box.top };
};
globalThis.topOf = (wanted) =>
  scroller.querySelector(`[data-message-id="${wanted}"]`)?.getBoundingClientRect().top ?? null;
globalThis.scrollBy_ = async (pixels) => {
  scroller.scrollTop += pixels;
  await frame();
  await frame();
};
/** What so many steps of a reader cost: changes of the tree, nodes that came or went, boxes that were asked for. */
globalThis.work = async (steps, pixels) => {
  const count = { changes: 0, nodes: 0, boxes: 0 };
  const observer = new MutationObserver((changes) => {
    count.changes += changes.length;
    changes.forEach(({ addedNodes, removedNodes }) => (count.nodes += addedNodes.length + removedNodes.length));
  });
  observer.observe(scroller, { subtree: true, childList: true, attributes: true, characterData: true });
  const { getBoundingClientRect } = Element.prototype;
  Element.prototype.getBoundingClientRect = function () {
    count.boxes += 1;
    return getBoundingClientRect.call(this);
  };
  for (let n = 0; n < steps; n += 1) {
    await scrollBy_(pixels);
  }
  Element.prototype.getBoundingClientRect = getBoundingClientRect;
  observer.disconnect();
  return count;
};
globalThis.ready = true;
