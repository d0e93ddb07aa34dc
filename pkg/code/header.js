// The header of a block of code: its language, and a button that copies its text as it is in that moment.

const WORDS = {
  copy: "Copy",
  copied: "Copied",
  failed: "Press Ctrl+C to copy",
  describe: (language) => (language === "" ? "Copy code" : `Copy ${language} code`),
};
const SHOWN_FOR = 2000;

/**
 * @param {Element} code stands in a `pre`
 * @param {{ header: true | object, emit: (event: object) => void }} settings
 */
export function addHeader(code, { header, emit }) {
  const words = header === true ? WORDS : { ...WORDS, ...header };
  const document = code.ownerDocument;
  const make = (name, className, text = "") => {
    const element = document.createElement(name);
    element.className = className;
    element.textContent = text;
    return element;
  };
  const label = make("span", "riacho-code-language");
  const button = make("button", "riacho-code-copy", words.copy);
  button.type = "button";
  // Screen readers say what is put into it later; it must be there before.
  const status = make("span", "riacho-code-status");
  status.setAttribute("role", "status");
  const root = make("span", "riacho-code-header");
  root.setAttribute("data-riacho-ui", "");
  root.append(label, button, status);

  let timer;
  const say = (text) => {
    button.textContent = text;
    status.textContent = text;
    clearTimeout(timer);
    timer = setTimeout(() => {
      button.textContent = words.copy;
      status.textContent = "";
    }, SHOWN_FOR);
  };
  button.addEventListener("click", async () => {
    // Without the end of the last line: in a terminal that would already be Enter.
    const text = code.textContent.replace(/\n$/, "");
    try {
      await copy(text, code);
      say(words.copied);
    } catch (cause) {
      // What can still be done is left to the reader, one key away.
      code.ownerDocument.getSelection()?.selectAllChildren(code);
      say(words.failed);
      const messageId = code.closest("[data-message-id]")?.dataset.messageId;
      emit({ type: "copy_failed", messageId, message: String(cause?.message ?? cause) });
    }
  });

  let named;
  return {
    name(language) {
      if (named === language) {
        return;
      }
      named = language;
      label.textContent = language;
      // The page's words come when the engine is done: they may throw, or call it.
      queueMicrotask(() => button.setAttribute("aria-label", describe(words, language)));
    },
    /** The engine may have put another element before it. */
    first() {
      const pre = code.parentNode;
      if (pre !== null && pre.firstChild !== root) {
        pre.prepend(root);
      }
    },
  };
}

/** What the page calls the button. Its fault is not the text's. */
function describe(words, language) {
  try {
    return String(words.describe(language));
  } catch (error) {
    reportError(error);
    return WORDS.describe(language);
  }
}

/** The clipboard may be missing (a page without HTTPS) or forbidden: then as one copied before there was one. */
async function copy(text, code) {
  const document = code.ownerDocument;
  try {
    await document.defaultView.navigator.clipboard.writeText(text);
    return;
  } catch (cause) {
    let taken = false;
    const give = (event) => {
      event.clipboardData.setData("text/plain", text);
      event.preventDefault();
      event.stopImmediatePropagation();
      taken = true;
    };
    document.addEventListener("copy", give, { capture: true, once: true });
    const done = document.execCommand("copy");
    document.removeEventListener("copy", give, { capture: true });
    if (!done || !taken) {
      throw cause;
    }
  }
}
