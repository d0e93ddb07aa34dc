// What the client does in the browser: the elements of a chat, its socket, what the tab brings, and the tab's storage. One script,
// as the runner of the browser tests serves no more than four at a time.

// The elements of a chat: the view of a conversation, one element a message, and what riacho adds around its text.
//
// The contract of the DOM stands in docs/ARCHITECTURE.md. An element stays the same as long as it is mounted. What draws the
// texts is another module's, and may throw: that module is dead then.

export class Page {
  /**
   * @param {Element} root
   * @param drawings makes what draws a message into an element; holds the sanitiser
   * @param {(name: string, id: string) => void} tell hears `retry`, with a message
   */
  constructor(root, drawings, tell) {
    this.root = root;
    this.drawings = drawings;
    this.tell = tell;
    this.view = undefined;
    // Message → its element, its drawing and its footer. A drawing is made when the first text comes; until then what a
    // server rendered may stand there.
    this.mounted = new Map();
    // Elements that were on the page before and hold what no log does: they come back with their conversation.
    this.adopted = new Map();
    // Nothing waits for the sanitiser any more.
    this.gaveUpSanitizer = false;
    root.addEventListener("click", this);
  }

  /** A click. */
  handleEvent({ target }) {
    // Only controls that riacho put there: text of a message has no such attribute, the policy lets none through.
    const control = target.closest?.("[data-riacho-action]");
    const message = control?.closest("[data-riacho-ui]") && control.closest("[data-message-id]");
    if (message && control.getAttribute("data-riacho-action") === "retry") {
      this.tell("retry", idOf(message));
    }
  }

  /** Puts up the view of a conversation: the one that a server rendered, or an empty one. */
  show(conversation) {
    const { view } = this;
    for (const element of view === undefined ? [] : messagesIn(view)) {
      if (this.mounted.get(idOf(element))?.drawing === undefined) {
        this.adopted.set(idOf(element), element);
      }
    }
    view?.remove();
    this.mounted.forEach(undraw);
    this.mounted.clear();
    this.view = [...this.root.children].find((child) => child.getAttribute("data-conversation-view") === conversation);
    if (this.view === undefined) {
      this.view = this.create("div", "conversation");
      this.view.setAttribute("data-conversation-view", conversation);
      this.root.append(this.view);
    }
  }

  /** Puts up the element of a message behind another's; without one it is the first. */
  mount(id, conversation, role, after) {
    const { view } = this;
    if (view === undefined) {
      return;
    }
    let element = find(view, id);
    if (element === undefined) {
      element = this.adopted.get(id) ?? this.create("article", "message");
      this.adopted.delete(id);
    }
    element.className = `message ${role}`;
    element.setAttribute("data-message-id", id);
    element.setAttribute("data-conversation-id", conversation);
    element.setAttribute("data-role", role);
    if (contentOf(element) === undefined) {
      // A new element, or one that a server filled without the wrapper.
      const content = this.create("div", "message-content");
      content.append(...element.childNodes);
      element.append(content);
    }
    if (!element.isConnected) {
      const next = after === undefined ? view.firstChild : this.mounted.get(after)?.element.nextSibling;
      view.insertBefore(element, next?.parentNode === view ? next : null);
    }
    undraw(this.mounted.get(id));
    this.mounted.set(id, { element, drawing: undefined, footer: undefined });
  }

  unmount(id) {
    const mounted = this.mounted.get(id);
    this.mounted.delete(id);
    const element = mounted?.element ?? find(this.root, id);
    element?.remove();
    if (mounted?.drawing !== undefined) {
      undraw(mounted);
    } else if (element !== undefined && hasText(element)) {
      // No log has what a server rendered: the element comes back as it is.
      this.adopted.set(id, element);
    }
  }

  /** Empties the content; the element stays. */
  reset(id) {
    let mounted = this.mounted.get(id);
    if (mounted === undefined) {
      // A message that was adopted where it stood has had no mount of its own.
      const element = find(this.root, id);
      if (element === undefined) {
        return;
      }
      mounted = { element, drawing: undefined, footer: undefined };
      this.mounted.set(id, mounted);
    }
    undraw(mounted);
    contentOf(mounted.element)?.replaceChildren();
  }

  /** Brings the content of a message up to date. True while raw HTML in it waits for the sanitiser. */
  paint(id, text, isWhole, sanitizer) {
    const mounted = this.mounted.get(id);
    if (mounted === undefined) {
      return false;
    }
    if (mounted.drawing === undefined) {
      const content = contentOf(mounted.element);
      if (content === undefined || text === "") {
        return false;
      }
      // What a server rendered goes when the log's text comes.
      content.replaceChildren();
      mounted.drawing = this.drawings.make(content, id);
      if (this.gaveUpSanitizer) {
        mounted.drawing.giveUpSanitizer();
      }
    }
    if (text !== "") {
      mounted.drawing.push(text);
    }
    return isWhole ? mounted.drawing.end(sanitizer) : mounted.drawing.flush(sanitizer);
  }

  /** What stands at a message beside its text: a sentence and a button, where there is something to say. */
  setStatus(id, status, isPaused, notice, retry) {
    const mounted = this.mounted.get(id);
    if (mounted === undefined) {
      return;
    }
    mounted.element.setAttribute("data-status", status);
    mounted.element.toggleAttribute("data-paused", isPaused);
    mounted.footer?.remove();
    mounted.footer = undefined;
    if (notice !== undefined) {
      mounted.footer = this.footer(notice, retry);
      mounted.element.append(mounted.footer);
    }
  }

  footer(notice, retry) {
    const footer = this.create("div", "message-footer");
    footer.setAttribute("data-riacho-ui", "");
    footer.setAttribute("role", "status");
    const words = this.create("p", "message-notice");
    words.textContent = notice;
    footer.append(words);
    if (retry !== undefined) {
      const button = this.create("button", "message-retry");
      button.setAttribute("type", "button");
      button.setAttribute("data-riacho-action", "retry");
      button.textContent = retry;
      footer.append(button);
    }
    return footer;
  }

  /** What is loaded of what shows raw HTML. */
  sanitizer() {
    return this.drawings.sanitizer();
  }

  /** Fetches it, and tells `sanitizer` when it is there, or `no_sanitizer` with what was thrown. */
  loadSanitizer() {
    new Promise((resolve) => resolve(this.drawings.loadSanitizer())).then(
      () => this.tell?.("sanitizer"),
      (thrown) => this.tell?.("no_sanitizer", thrown),
    );
  }

  /** There will be none, for what is on the page and for what comes. */
  giveUp() {
    this.gaveUpSanitizer = true;
    for (const { drawing } of this.mounted.values()) {
      drawing?.giveUpSanitizer();
    }
  }

  /** What the buttons say that load the images in the root. */
  sayImages(sentence) {
    this.drawings.sayImages(this.root, sentence);
  }

  /** The containers on the page: of each the message, the role, and something where there is text. A second one with the same
   * id is no container, and goes. */
  survey() {
    return messagesIn(this.root).flatMap((element) => {
      const id = idOf(element);
      if ((this.mounted.get(id)?.element ?? element) !== element) {
        element.remove();
        return [];
      }
      return [id, element.getAttribute("data-role") ?? "", hasText(element) ? "text" : ""];
    });
  }

  /** How many elements with a message's id stand in the root. */
  count() {
    return messagesIn(this.root).length;
  }

  /** What it drew stays; what that holds in the other module goes. */
  leave() {
    this.tell = undefined;
    this.root.removeEventListener("click", this);
    this.mounted.forEach(undraw);
    free(this.drawings);
  }

  create(tag, className) {
    const element = this.root.ownerDocument.createElement(tag);
    element.className = className;
    return element;
  }
}

const idOf = (element) => element.getAttribute("data-message-id");

const messagesIn = (root) => [...root.querySelectorAll("[data-message-id]")];

const find = (root, id) => messagesIn(root).find((element) => idOf(element) === id);

const contentOf = (message) => [...message.children].find((child) => child.classList.contains("message-content"));

/** Text, or what stands for text. */
function hasText(message) {
  const content = contentOf(message) ?? message;
  return /\P{White_Space}/u.test(content.textContent) || content.querySelector("img,video,audio,canvas,svg,hr") !== null;
}

function undraw(mounted) {
  if (mounted?.drawing !== undefined) {
    free(mounted.drawing);
    mounted.drawing = undefined;
  }
}

function free(held) {
  try {
    held.free();
  } catch {
    // What is dead has let go already.
  }
}

// One WebSocket, and the token that is fetched for it.

export class Line {
  /**
   * Hears `open` with the token, `text` with each frame and, as the last of all, `closed` or `no_token` with what was thrown,
   * if anything was. Nothing is told before this returns, and nothing after `leave()`.
   * @param {string} url
   * @param {(() => unknown) | undefined} token the page's: what it returns may be a promise
   * @param {(name: string, value: unknown) => void} tell
   */
  constructor(url, token, tell) {
    this.tell = tell;
    this.socket = undefined;
    Promise.resolve()
      .then(() => this.tell && token?.())
      .then(
        (fetched) => this.connect(url, fetched),
        (thrown) => this.end("no_token", thrown),
      );
  }

  connect(url, token) {
    if (this.tell === undefined) {
      return;
    }
    try {
      this.socket = new WebSocket(url);
    } catch (thrown) {
      this.end("closed", thrown);
      return;
    }
    this.socket.onopen = () => this.tell?.("open", token);
    // The wire is text; a relay of ours sends nothing else.
    this.socket.onmessage = ({ data }) => this.tell?.("text", data);
    // Comes after an error, too, and that says nothing.
    this.socket.onclose = () => this.end("closed");
  }

  /** Text that finds the socket closing is lost, and `closed` follows. */
  send(text) {
    if (this.socket?.readyState === WebSocket.OPEN) {
      this.socket.send(text);
    }
  }

  end(name, thrown) {
    const { tell } = this;
    this.leave();
    tell?.(name, thrown);
  }

  leave() {
    this.tell = undefined;
    this.socket?.close();
  }
}

// What a tab brings beside frames and sockets: it is looked at or left, its network is back, a time has come.

export class Tab {
  /**
   * Hears `wake` when a try makes sense again, `save` when what a reload needs is to be kept, and `timer`.
   * @param {(name: string) => void} tell
   */
  constructor(tell) {
    this.tell = tell;
    this.timer = undefined;
  }

  listen() {
    addEventListener("online", this);
    addEventListener("pagehide", this);
    document.addEventListener("visibilitychange", this);
  }

  handleEvent({ type }) {
    const left = type === "pagehide" || (type === "visibilitychange" && document.hidden);
    this.tell(left ? "save" : "wake");
  }

  /** In so many milliseconds; one at a time. */
  setTimer(delay) {
    this.clearTimer();
    this.timer = setTimeout(() => this.tell("timer"), delay);
  }

  clearTimer() {
    clearTimeout(this.timer);
  }

  leave() {
    this.clearTimer();
    removeEventListener("online", this);
    removeEventListener("pagehide", this);
    document.removeEventListener("visibilitychange", this);
  }
}

// `sessionStorage`: a place that may be full, forbidden or absent. None of that is an error of the page.

export function read(key) {
  try {
    return sessionStorage.getItem(key) ?? undefined;
  } catch {
    return undefined;
  }
}

/** False when it could not be kept. */
export function write(key, text) {
  try {
    sessionStorage.setItem(key, text);
    return true;
  } catch {
    return false;
  }
}
