// The list of conversations: open, new, rename, archive; and the one in the address.
import { t } from "./strings.js";

/** @param {import("riacho").ChatClient} chat */
export function conversations(chat) {
  const list = document.getElementById("conversations");
  const menu = document.getElementById("menu");
  let known = [];
  /** One that was made here and that the relay does not list yet, since nothing was said in it. */
  let fresh;

  const showMenu = (open) => {
    menu.setAttribute("aria-expanded", String(open));
    document.body.toggleAttribute("data-menu", open);
  };
  const open = (id) => {
    chat.open(id);
    showMenu(false);
  };
  const fromAddress = () => {
    const wanted = location.hash.slice(1);
    if (/^[0-9a-f-]{36}$/i.test(wanted)) {
      chat.open(wanted);
    } else if (chat.conversationId === undefined) {
      chat.open(crypto.randomUUID());
    }
  };

  const button = (words, className, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = className;
    made.textContent = words;
    made.addEventListener("click", act);
    return made;
  };
  const rename = ({ conversationId, title }, item) => {
    const field = document.createElement("input");
    field.value = title;
    field.setAttribute("aria-label", t("renameTo"));
    let done = false;
    const end = (keep) => {
      if (done) {
        return;
      }
      done = true;
      const { value } = field;
      field.remove();
      if (keep && value.trim() !== "" && value !== title) {
        chat.rename(conversationId, value.trim());
      }
      draw();
    };
    field.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === "Escape") {
        event.preventDefault();
        event.stopPropagation();
        end(event.key === "Enter");
      }
    });
    field.addEventListener("blur", () => end(true));
    item.replaceChildren(field);
    field.focus();
    field.select();
  };
  const line = (conversation) => {
    const { conversationId, title, streaming } = conversation;
    const item = document.createElement("li");
    const opener = button(title, "open", () => open(conversationId));
    opener.dataset.conversation = conversationId;
    opener.classList.toggle("streaming", streaming);
    if (streaming) {
      const hint = document.createElement("span");
      hint.className = "hidden";
      hint.textContent = ` (${t("streaming")})`;
      opener.append(hint);
    }
    item.append(opener);
    if (conversationId === chat.conversationId) {
      opener.setAttribute("aria-current", "true");
      if (conversationId !== fresh) {
        item.append(
          button(t("rename"), "small", () => rename(conversation, item)),
          button(t("archive"), "small", () => chat.closeConversation(conversationId)),
        );
      }
    }
    return item;
  };
  const draw = () => {
    // Someone is typing a title.
    if (list.querySelector("input") !== null) {
      return;
    }
    const held = list.contains(document.activeElement) ? document.activeElement.dataset.conversation : undefined;
    const lines = [...known];
    if (fresh !== undefined && !lines.some((known) => known.conversationId === fresh)) {
      lines.unshift({ conversationId: fresh, title: t("newConversation"), streaming: false });
    }
    list.replaceChildren(...lines.map(line));
    if (held !== undefined) {
      list.querySelector(`[data-conversation="${CSS.escape(held)}"]`)?.focus();
    }
  };

  chat.on("conversations", (event) => {
    known = event.conversations.filter(({ status }) => status === "open");
    if (known.some(({ conversationId }) => conversationId === fresh)) {
      fresh = undefined;
    }
    const closed = event.conversations.find(({ conversationId }) => conversationId === chat.conversationId);
    draw();
    // What was archived while it was looked at makes room for a new one.
    if (closed?.status === "closed") {
      chat.open(crypto.randomUUID());
    }
  });
  chat.on("opened", ({ conversationId }) => {
    if (!known.some((conversation) => conversation.conversationId === conversationId)) {
      fresh = conversationId;
    }
    if (location.hash !== `#${conversationId}`) {
      history.pushState(null, "", `#${conversationId}`);
    }
    draw();
  });
  document.getElementById("new").addEventListener("click", () => {
    open(crypto.randomUUID());
    document.getElementById("message").focus();
  });
  menu.addEventListener("click", () => showMenu(menu.getAttribute("aria-expanded") !== "true"));
  addEventListener("popstate", fromAddress);
  fromAddress();
  return { draw };
}
