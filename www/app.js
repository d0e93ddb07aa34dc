// The demo: a list of conversations, a composer, stop and status. It uses the package as any page would.
import init, { ChatClient } from "./riacho/index.js";
import { shiki } from "./riacho/shiki/index.js";

const byId = (id) => document.getElementById(id);
const list = byId("conversations");
const message = byId("message");
const stop = byId("stop");
const scroller = byId("chat");

/** Answers that stream, by conversation: Stop ends those of the one on screen. */
const live = new Map();
let conversations = [];
/** One that was made here and that the relay does not list yet, since nothing was said in it. */
let fresh;

const say = (words) => {
  byId("notice").hidden = words === "";
  byId("notice").textContent = words;
};

async function main() {
  await init();
  const chat = new ChatClient({
    url: "/ws",
    root: scroller,
    highlight: shiki({ worker: "vendor/shiki/worker.js" }),
    blocks: { math },
  });
  // For the console and for tests: what `chat.debug()` says is the first thing to look at.
  globalThis.chat = chat;

  chat.on("connection", ({ state, retryInMs }) => {
    byId("connection").textContent = {
      connecting: "Connecting…",
      open: "Connected",
      waiting: `Connection lost; trying again in ${Math.ceil((retryInMs ?? 0) / 1000)} s`,
      closed: "Closed",
    }[state];
    byId("connection").dataset.state = state;
  });
  chat.on("conversations", (event) => {
    conversations = event.conversations.filter((line) => line.status === "open");
    drawList(chat);
  });
  chat.on("opened", ({ conversationId }) => {
    if (!conversations.some((line) => line.conversationId === conversationId)) {
      fresh = conversationId;
    }
    if (location.hash !== `#${conversationId}`) {
      history.pushState(null, "", `#${conversationId}`);
    }
    say("");
    drawList(chat);
    drawStop(chat);
    scroller.scrollTop = scroller.scrollHeight;
  });
  chat.on("status", ({ conversationId, messageId, status }) => {
    const ids = live.get(conversationId) ?? new Set();
    live.set(conversationId, ids);
    if (status === "pending" || status === "streaming") {
      ids.add(messageId);
    } else {
      ids.delete(messageId);
    }
    drawStop(chat);
  });
  chat.on("message", ({ conversationId, messageId, role }) => {
    if (role === "assistant") {
      const ids = live.get(conversationId) ?? new Set();
      live.set(conversationId, ids.add(messageId));
      drawStop(chat);
    }
  });
  chat.on("chunk", ({ conversationId }) => {
    // To the bottom with the text, unless the reader has scrolled up.
    if (conversationId === chat.conversationId && atBottom()) {
      requestAnimationFrame(() => requestAnimationFrame(() => (scroller.scrollTop = scroller.scrollHeight)));
    }
  });
  chat.on("error", (event) => say(event.message));
  chat.on("degraded", (event) => say(event.message));

  byId("new").addEventListener("click", () => {
    chat.open(crypto.randomUUID());
    message.focus();
  });
  stop.addEventListener("click", () => live.get(chat.conversationId)?.forEach((id) => chat.stop(id)));
  byId("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    try {
      chat.send(message.value);
      message.value = "";
      say("");
      scroller.scrollTop = scroller.scrollHeight;
    } catch (error) {
      say(error.message);
    }
    message.focus();
  });
  message.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      byId("composer").requestSubmit();
    }
  });
  addEventListener("popstate", () => openFromHash(chat));

  chat.listConversations();
  openFromHash(chat);
}

function openFromHash(chat) {
  const wanted = location.hash.slice(1);
  if (/^[0-9a-f-]{36}$/i.test(wanted)) {
    chat.open(wanted);
  } else if (chat.conversationId === undefined) {
    chat.open(crypto.randomUUID());
  }
}

function atBottom() {
  return scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80;
}

function drawStop(chat) {
  stop.disabled = !(live.get(chat.conversationId)?.size > 0);
}

function drawList(chat) {
  const lines = [...conversations];
  if (fresh !== undefined && !lines.some((line) => line.conversationId === fresh)) {
    lines.unshift({ conversationId: fresh, title: "New conversation", streaming: false });
  }
  list.replaceChildren(
    ...lines.map(({ conversationId, title, streaming }) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = title;
      button.dataset.conversation = conversationId;
      button.classList.toggle("streaming", streaming);
      if (conversationId === chat.conversationId) {
        button.setAttribute("aria-current", "true");
      }
      button.addEventListener("click", () => chat.open(conversationId));
      const item = document.createElement("li");
      item.append(button);
      return item;
    }),
  );
}

/** A formula as MathML, which needs no fonts and no styles. Half a formula is none: it waits for its other half. */
async function math({ text, finished, display, element }) {
  if (finished) {
    const { default: katex } = await import("./vendor/katex/katex.js");
    katex.render(text, element, { displayMode: display, output: "mathml", throwOnError: true });
  }
}

main().catch((error) => {
  byId("connection").textContent = "Not started";
  say(error.message);
});
