// The elements of the plain chat: those of docs/ARCHITECTURE.md, filled with text nodes.
import { append, plainText } from "./markdown.js";

export class View {
  #root;
  #view;
  #retry;
  /** Element, text and shown length of each message on screen. */
  #mounted = new Map();

  constructor(root, retry) {
    this.#root = root;
    this.#retry = retry;
  }

  get containers() {
    return this.#root.querySelectorAll("[data-message-id]").length;
  }

  /** What a dead client left may still be written to by what is left of it: a copy takes its place. */
  show(conversationId) {
    const views = [...this.#root.querySelectorAll("[data-conversation-view]")];
    const there = views.find((view) => view.dataset.conversationView === conversationId);
    this.#view = there?.cloneNode(true) ?? this.#create("div", "conversation");
    this.#view.dataset.conversationView = conversationId;
    views.forEach((view) => view.remove());
    this.#view.querySelectorAll("[data-riacho-ui]").forEach((ui) => ui.remove());
    // The room that `riacho/reading` kept for what had no element.
    this.#view.removeAttribute("style");
    this.#root.append(this.#view);
    this.#mounted.clear();
  }

  mount(log) {
    const there = [...this.#view.children].find((child) => child.dataset.messageId === log.id);
    const element = there ?? this.#view.appendChild(this.#create("article", `message ${log.role}`));
    element.dataset.messageId = log.id;
    element.dataset.conversationId = log.conversationId;
    element.dataset.role = log.role;
    let content = element.querySelector(":scope > .message-content");
    if (content === null) {
      content = this.#create("div", "message-content");
      element.append(content);
    }
    this.#mounted.set(log.id, { element, content, length: 0, epoch: log.epoch });
    this.text(log);
    this.status(log);
  }

  text(log) {
    const mounted = this.#mounted.get(log.id);
    if (mounted === undefined) {
      return;
    }
    if (mounted.epoch !== log.epoch || mounted.length === 0) {
      if (log.shown === "" && mounted.epoch === log.epoch) {
        // What stands there from before stays until there is something to take its place.
        return;
      }
      mounted.content.replaceChildren();
      plainText(mounted.content);
      mounted.length = 0;
      mounted.epoch = log.epoch;
    }
    append(mounted.content, log.shown.slice(mounted.length));
    mounted.length = log.shown.length;
  }

  status(log, detail) {
    const mounted = this.#mounted.get(log.id);
    if (mounted === undefined) {
      return;
    }
    const { element } = mounted;
    element.dataset.status = log.status;
    element.toggleAttribute("data-paused", log.paused);
    element.querySelector(":scope > [data-riacho-ui]")?.remove();
    const notice = log.ending?.error?.message ?? (log.ending?.reason === "stopped" ? "Stopped." : detail);
    if (notice === undefined) {
      return;
    }
    const footer = this.#create("div", "message-footer");
    footer.dataset.riachoUi = "";
    footer.setAttribute("role", "status");
    const words = this.#create("p", "message-notice");
    words.textContent = notice;
    footer.append(words);
    if (log.role === "assistant" && (log.status === "interrupted" || log.status === "error")) {
      const button = this.#create("button", "message-retry");
      button.type = "button";
      button.textContent = "Retry";
      button.addEventListener("click", () => this.#retry(log.id));
      footer.append(button);
    }
    element.append(footer);
  }

  #create(tag, name) {
    const element = this.#root.ownerDocument.createElement(tag);
    element.className = name;
    return element;
  }
}
