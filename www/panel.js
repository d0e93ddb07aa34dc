// Inside: streams, rooms, containers and offsets as they are, figures as they go, and what makes it hard.
import { number, t } from "./strings.js";

const EVERY = 400;

/** @param {import("riacho").ChatClient} chat */
export function panel(chat, { network, box }) {
  const element = document.getElementById("panel");
  const opener = document.getElementById("open-panel");
  const figures = { first: undefined, rate: undefined, long: 0 };
  /** When each answer was asked for, and what has come since the last look. */
  const asked = new Map();
  const lengths = new Map();
  let seen = { at: performance.now(), characters: 0 };
  let timer;

  chat.on("message", ({ role, messageId }) => role === "assistant" && asked.set(messageId, performance.now()));
  chat.on("chunk", ({ messageId, length }) => {
    const before = lengths.get(messageId) ?? 0;
    lengths.set(messageId, length);
    seen.characters += Math.max(0, length - before);
    const started = asked.get(messageId);
    if (started !== undefined && before === 0) {
      figures.first = performance.now() - started;
    }
    asked.delete(messageId);
  });
  chat.on("status", ({ messageId, status }) => {
    if (status !== "pending" && status !== "streaming") {
      lengths.delete(messageId);
    }
  });
  try {
    new PerformanceObserver((list) => {
      list.getEntries().forEach(({ duration }) => (figures.long = Math.max(figures.long, duration)));
    }).observe({ type: "longtask" });
  } catch {
    // Not every browser tells of long tasks.
  }

  const rows = (lines) => {
    const list = document.createElement("dl");
    for (const [name, value] of lines) {
      const term = document.createElement("dt");
      const detail = document.createElement("dd");
      term.textContent = name;
      detail.textContent = value;
      list.append(term, detail);
    }
    return list;
  };
  const heading = (words) => {
    const title = document.createElement("h2");
    title.textContent = words;
    return title;
  };
  const table = (live) => {
    const made = document.createElement("table");
    const row = (tag, cells) => {
      const line = document.createElement("tr");
      for (const words of cells) {
        const cell = document.createElement(tag);
        cell.textContent = words;
        line.append(cell);
      }
      return line;
    };
    const head = document.createElement("thead");
    head.append(row("th", [t("where"), t("offset"), t("onScreen")]));
    const body = document.createElement("tbody");
    for (const { messageId, epoch, offset, mounted } of live.slice(0, 24)) {
      body.append(row("td", [messageId.slice(-6), `${epoch}:${number(offset)}`, mounted ? t("yes") : t("no")]));
    }
    made.append(head, body);
    return made;
  };
  const state = document.createElement("div");
  const look = () => {
    const { connection, rooms, messages, containers, outbox } = chat.debug();
    const now = performance.now();
    figures.rate = (1000 * seen.characters) / (now - seen.at);
    seen = { at: now, characters: 0 };
    const milliseconds = (value) => (value === undefined ? t("none") : `${number(value)} ms`);
    state.replaceChildren(
      heading(t("panelFigures")),
      rows([
        [t("figureFirst"), milliseconds(figures.first)],
        [t("figureRate"), number(figures.rate)],
        [t("figureLong"), figures.long === 0 ? t("none") : milliseconds(figures.long)],
        [t("figureCuts"), number(network.cuts)],
      ]),
      heading(t("panelState")),
      rows([
        [t("connectionState"), connection],
        [t("rooms"), number(rooms.length)],
        [t("containers"), number(containers)],
        [t("outbox"), number(outbox)],
      ]),
      table(messages.filter(({ isStreaming }) => isStreaming)),
    );
  };

  const tool = (words, act) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = words;
    button.addEventListener("click", act);
    return button;
  };
  /** Eight conversations, an answer in each; the reader stays in the last. */
  const stress = () => {
    for (let n = 0; n < 8; n += 1) {
      chat.open(crypto.randomUUID());
      box.send("long");
    }
  };
  const draw = () => {
    const label = document.createElement("label");
    const box_ = document.createElement("input");
    box_.type = "checkbox";
    box_.checked = network.bad;
    box_.addEventListener("change", () => (network.bad = box_.checked));
    label.append(box_, t("badNetwork"));
    const hint = document.createElement("p");
    hint.textContent = t("badNetworkHint");
    element.replaceChildren(
      heading(t("panelTools")),
      label,
      hint,
      tool(t("stress"), stress),
      tool(t("huge"), () => box.send("huge")),
      tool(t("showHostile"), () => box.send("hostile")),
      state,
    );
    if (!element.hidden) {
      look();
    }
  };
  const show = (open) => {
    element.hidden = !open;
    opener.setAttribute("aria-expanded", String(open));
    document.body.toggleAttribute("data-panel", open);
    clearInterval(timer);
    if (open) {
      draw();
      timer = setInterval(look, EVERY);
    }
  };
  opener.addEventListener("click", () => show(element.hidden));
  return { draw };
}
