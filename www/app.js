// The demo: what a page author writes around the package. This file only puts the pieces together.
import init, { ChatClient } from "./riacho/index.js";
import { announce, followEnd, readable, windowed } from "./riacho/reading/index.js";
import { shiki } from "./riacho/shiki/index.js";
import { composer } from "./composer.js";
import { conversations } from "./conversations.js";
import { messages } from "./messages.js";
import { badNetwork } from "./network.js";
import { panel } from "./panel.js";
import { preferences } from "./preferences.js";
import { t, words, wrong } from "./strings.js";
import { welcome } from "./welcome.js";

const byId = (id) => document.getElementById(id);
const notice = byId("notice");
const connection = byId("connection");
const scroller = byId("chat");

/** Says what went wrong; nothing to say takes it away. */
function say(words) {
  notice.hidden = words === "";
  notice.textContent = words;
}

async function main() {
  // Before anything is said: the reader's language, theme and wishes.
  const wishes = preferences();
  const network = badNetwork();
  await init();
  const chat = new ChatClient({
    url: "/ws",
    root: scroller,
    highlight: shiki({ worker: "vendor/shiki/worker.js" }),
    blocks: { math },
    window: 40,
    preferences: wishes.counted(),
    codeHeader,
  });
  // For the console and for tests: what `chat.debug()` says is the first thing to look at.
  globalThis.chat = chat;

  const end = followEnd(scroller, { onchange: ({ following }) => (byId("down").hidden = following) });
  byId("down").addEventListener("click", () => {
    end.toEnd();
    byId("message").focus();
  });
  scroller.addEventListener("scroll", () => scroller.scrollTop < scroller.clientHeight && chat.loadOlder(), { passive: true });
  windowed(chat, { scroller });
  readable({ root: scroller, words: names });
  // The button goes as it is pressed, and would take the focus with it.
  scroller.addEventListener("click", ({ target }) => target.closest(".message-retry") !== null && scroller.focus());
  announce(chat, { region: byId("spoken"), root: scroller });
  // Each wish that the client itself fulfils.
  const fulfil = () => {
    chat.setPace(wishes.pace());
    chat.setWords(words());
  };
  fulfil();

  const drawConnection = ({ state, retryInMs }) => {
    connection.dataset.state = state;
    connection.textContent = {
      connecting: t("connecting"),
      open: t("connected"),
      waiting: t("lost", { seconds: Math.ceil((retryInMs ?? 0) / 1000) }),
      closed: t("closed"),
    }[state];
  };
  let standing = { state: "connecting" };
  chat.on("connection", (event) => drawConnection((standing = event)));
  chat.on("opened", () => say(""));
  chat.on("error", (event) => say(wrong(event)));
  // Without wasm the text is shown as it is: who reads should know why.
  chat.on("degraded", (event) => say(wrong(event)));

  const bars = messages(chat, scroller, say);
  const list = conversations(chat);
  const box = composer(chat, { say, onsend: () => end.toEnd() });
  const greeting = welcome(chat, box);
  const inside = panel(chat, { network, box });
  wishes.onchange(fulfil);
  wishes.onlanguage(() => {
    drawConnection(standing);
    [bars, list, greeting, inside].forEach((part) => part.draw());
  });
  chat.listConversations();
}

/** Asked for as each block comes: by then the reader may have taken another language. */
const codeHeader = {
  get copy() {
    return t("copy");
  },
  get copied() {
    return t("copied");
  },
  get failed() {
    return t("notCopied");
  },
  describe: (language) => t("copyCode", { language }),
};
/** What only those hear who don't see it. */
const names = {
  get user() {
    return t("you");
  },
  get assistant() {
    return t("answer");
  },
  get done() {
    return t("taskDone");
  },
  get open() {
    return t("taskOpen");
  },
};

/** A formula is drawn when it is whole: half of one is none. */
async function math({ text, finished, display, element }) {
  if (finished) {
    const { default: katex } = await import("./vendor/katex/katex.js");
    katex.render(text, element, { displayMode: display, output: "mathml", throwOnError: true });
  }
}

main().catch((error) => {
  connection.textContent = t("notStarted");
  say(error.message);
});
