// What an empty conversation shows: a word of welcome, and questions to begin with.
import { t } from "./strings.js";

const SUGGESTIONS = ["tour", "slow", "long", "code", "hostile", "arabic"];

/** @param {import("riacho").ChatClient} chat */
export function welcome(chat, box) {
  const element = document.getElementById("welcome");
  const scroller = document.getElementById("chat");
  const show = () => {
    element.hidden = scroller.querySelector("[data-message-id]") !== null;
  };
  const draw = () => {
    document.getElementById("suggestions").replaceChildren(
      ...SUGGESTIONS.map((key) => {
        const button = document.createElement("button");
        button.type = "button";
        button.textContent = t(key);
        button.addEventListener("click", () => {
          box.send(t(key));
          document.getElementById("message").focus();
        });
        const item = document.createElement("li");
        item.append(button);
        return item;
      }),
    );
    show();
  };
  chat.on("message", show);
  chat.on("opened", show);
  chat.on("joined", show);
  draw();
  return { draw };
}
