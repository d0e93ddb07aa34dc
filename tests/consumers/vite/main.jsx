// React in strict mode: the hook over the relay, and the renderer by itself, mounted and taken away at will.
import { StrictMode, createElement as h, useRef, useState } from "react";
import { createRoot } from "react-dom/client";
import { Markdown, useChat } from "riacho/react";
import "riacho/riacho.css";

function Conversation({ id }) {
  const chat = useChat({ url: "/ws", conversationId: id, storageKey: null });
  globalThis.hook = chat;
  return h("section", null, h("div", { ref: chat.ref, id: "log" }), h("p", { id: "state" }, chat.status),
    h("p", { id: "count" }, String(chat.messages.length)));
}

/** Without a relay: the test brings what is said. */
function Long({ pace, stopped }) {
  const scroller = useRef(null);
  const chat = useChat({ storageKey: null, window: 40, scroller, pace, words: { stopped } });
  globalThis.long = chat;
  return h("div", { ref: scroller, id: "scroller", style: { height: 400, overflowY: "auto" } }, h("p", null, "above"), h("div", { ref: chat.ref }));
}

function App() {
  const [shown, show] = useState(true);
  const [long, lengthen] = useState(null);
  const [id, open] = useState("01990000-0000-7000-8000-000000000001");
  const [text, write] = useState({ text: "", done: false });
  Object.assign(globalThis, { show, open, write, lengthen });
  return h("main", null, shown && h(Conversation, { id }), shown && h(Markdown, { id: "text", idPrefix: "t", ...text }),
    long && h(Long, long));
}

createRoot(document.getElementById("app")).render(h(StrictMode, null, h(App)));
