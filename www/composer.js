// The composer: send, stop, who answers; Enter sends, Escape stops, and the focus comes back here.
import { t, wrong } from "./strings.js";

/** @param {import("riacho").ChatClient} chat */
export function composer(chat, { say, onsend }) {
  const form = document.getElementById("composer");
  const message = document.getElementById("message");
  const stop = document.getElementById("stop");
  const provider = document.getElementById("provider");
  /** Answers that are being written, by conversation: Stop ends those of the one on screen. */
  const live = new Map();

  const liveHere = () => live.get(chat.conversationId) ?? new Set();
  const drawStop = () => {
    const idle = liveHere().size === 0;
    if (idle && document.activeElement === stop) {
      message.focus();
    }
    stop.disabled = idle;
  };
  const note = ({ conversationId, messageId }, writing) => {
    const ids = live.get(conversationId) ?? new Set();
    live.set(conversationId, ids);
    writing ? ids.add(messageId) : ids.delete(messageId);
    drawStop();
  };
  const stopHere = () => liveHere().forEach((id) => chat.stop(id));
  /** As high as its text, up to a third of the window. */
  const fit = () => {
    message.rows = Math.min(12, Math.max(1, message.value.split("\n").length));
  };

  const send = (text, options = {}) => {
    try {
      const sent = chat.send(text, { provider: provider.value || undefined, ...options });
      say("");
      onsend();
      return sent;
    } catch (error) {
      say(wrong(error));
      return undefined;
    }
  };

  chat.on("message", (event) => event.role === "assistant" && note(event, true));
  chat.on("status", (event) => note(event, event.status === "pending" || event.status === "streaming"));
  chat.on("opened", drawStop);
  chat.on("welcome", ({ providers }) => {
    const some = providers.length > 1;
    provider.hidden = !some;
    document.getElementById("provider-label").hidden = !some;
    const chosen = provider.value;
    provider.replaceChildren(
      ...["", ...providers].map((name) => new Option(name === "" ? t("anyProvider") : name, name)),
    );
    provider.value = providers.includes(chosen) ? chosen : "";
  });
  stop.addEventListener("click", () => {
    stopHere();
    message.focus();
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (send(message.value) !== undefined) {
      message.value = "";
      fit();
    }
    message.focus();
  });
  message.addEventListener("input", fit);
  message.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented && document.querySelector("dialog[open]") === null) {
      stopHere();
      message.focus();
    }
  });
  message.focus();
  return { send };
}
