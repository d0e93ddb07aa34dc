// What the demo adds to each message: reasoning and tools above it; copy, pause, answer again, how it went, below.
import { number, t } from "./strings.js";

/** @param {import("riacho").ChatClient} chat */
export function messages(chat, scroller, say) {
  /** How each answer went, as far as this page has heard. */
  const facts = new Map();

  const control = (words, act) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "small";
    button.textContent = words;
    button.addEventListener("click", act);
    return button;
  };
  const copy = async (id, button) => {
    try {
      await navigator.clipboard.writeText(chat.text(id) ?? "");
      button.textContent = t("copied");
    } catch {
      say(t("notCopied"));
    }
    setTimeout(() => (button.textContent = t("copy")), 2000);
  };
  const fill = (bar, element) => {
    const { messageId: id, status, role } = element.dataset;
    const writing = status === "pending" || status === "streaming";
    const paused = element.hasAttribute("data-paused");
    const controls = [];
    if (!writing) {
      const button = control(t("copy"), () => copy(id, button));
      controls.push(button);
    }
    if (role === "assistant" && writing) {
      controls.push(
        paused
          ? control(t("resume"), () => chat.resume(id))
          : control(t("pause"), () => chat.pause(id)),
      );
    }
    if (role === "assistant" && status === "completed") {
      controls.push(control(t("again"), () => chat.retry(id)));
    }
    const { metrics, usage, length } = facts.get(id) ?? {};
    if (role === "assistant" && status === "completed" && metrics !== undefined) {
      const words = document.createElement("span");
      words.className = "facts";
      words.textContent = [
        metrics.firstTokenMs !== undefined && t("firstToken", { ms: number(metrics.firstTokenMs) }),
        metrics.durationMs > 0 && length > 0 && t("rate", { rate: number((1000 * length) / metrics.durationMs) }),
        usage?.outputTokens !== undefined && t("tokens", { count: number(usage.outputTokens) }),
      ]
        .filter(Boolean)
        .join(" · ");
      controls.push(words);
    }
    const focused = [...bar.children].indexOf(document.activeElement);
    bar.replaceChildren(...controls);
    if (focused >= 0) {
      bar.children[Math.min(focused, bar.children.length - 1)]?.focus();
    }
  };
  /** Reasoning is folded away, a tool that is called is a line. They are the page's to show: the text is not in them. */
  const think = (element) => {
    const parts = chat.parts(element.dataset.messageId).filter(({ kind }) => kind === "reasoning" || kind === "tool_call");
    let box = element.querySelector(":scope > .message-thinking");
    if (parts.length === 0) {
      box?.remove();
      return;
    }
    if (box === null) {
      box = document.createElement("div");
      box.className = "message-thinking";
      box.setAttribute("data-riacho-ui", "");
      element.prepend(box);
    }
    parts.forEach(({ kind, name, text }, index) => {
      let line = box.children[index];
      if (line === undefined) {
        line = document.createElement(kind === "reasoning" ? "details" : "p");
        line.append(document.createElement(kind === "reasoning" ? "summary" : "span"), document.createElement(kind === "reasoning" ? "p" : "code"));
        box.append(line);
      }
      line.firstChild.textContent = kind === "reasoning" ? t("reasoning") : t("tool", { name: name ?? "?" });
      if (line.lastChild.textContent !== text) {
        line.lastChild.textContent = text;
      }
    });
    while (box.childElementCount > parts.length) {
      box.lastElementChild.remove();
    }
  };
  const thinking = new Set();
  chat.on("chunk", ({ messageId, kind }) => {
    if (kind === "text" || kind === "refusal") {
      return;
    }
    // Many pieces come in a frame; one look is enough.
    if (thinking.size === 0) {
      requestAnimationFrame(() => {
        const ids = [...thinking];
        thinking.clear();
        for (const id of ids) {
          const element = scroller.querySelector(`[data-message-id="${CSS.escape(id)}"]`);
          if (element !== null) {
            think(element);
          }
        }
      });
    }
    thinking.add(messageId);
  });

  const dress = (element) => {
    let bar = element.querySelector(":scope > .message-bar");
    if (bar === null) {
      bar = document.createElement("div");
      bar.className = "message-bar";
      bar.setAttribute("data-riacho-ui", "");
      element.append(bar);
    }
    fill(bar, element);
    if (element.dataset.role === "assistant") {
      think(element);
    }
  };
  const all = () => scroller.querySelectorAll("[data-message-id]");

  new MutationObserver((changes) => {
    const touched = new Set();
    for (const { type, target, addedNodes } of changes) {
      if (type === "attributes") {
        touched.add(target);
      } else if (target === scroller || target.hasAttribute?.("data-conversation-view")) {
        for (const node of addedNodes) {
          if (node.nodeType === Node.ELEMENT_NODE) {
            [node, ...node.querySelectorAll("[data-message-id]")].forEach((found) => touched.add(found));
          }
        }
      }
    }
    touched.forEach((element) => element.hasAttribute("data-message-id") && element.isConnected && dress(element));
  }).observe(scroller, { subtree: true, childList: true, attributeFilter: ["data-status", "data-paused"] });
  chat.on("status", ({ messageId, metrics, usage }) => {
    if (metrics !== undefined) {
      facts.set(messageId, { metrics, usage, length: chat.text(messageId)?.length ?? 0 });
      const element = scroller.querySelector(`[data-message-id="${CSS.escape(messageId)}"]`);
      if (element !== null) {
        dress(element);
      }
    }
  });
  // What a reload kept is on the page already.
  all().forEach(dress);
  return { draw: () => all().forEach(dress) };
}
