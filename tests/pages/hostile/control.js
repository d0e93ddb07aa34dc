// The control: the same inputs through innerHTML, in frames that may run scripts but not lead the page away. If little
// happens here, the other page proves nothing.
import { cut, inputs, pause, random, watch } from "./common.js";

const result = { inputs: 0, fired: 0, by: {} };
// An attack may take its frame down, and the others in it.
const batch = 10;

function fired(what) {
  result.fired += 1;
  const name = what.split("(")[0];
  result.by[name] = (result.by[name] ?? 0) + 1;
}

async function play(texts) {
  const frame = document.createElement("iframe");
  frame.sandbox = "allow-scripts allow-same-origin";
  document.body.append(frame);
  const window = frame.contentWindow;
  watch(window, fired);
  const page = window.document;
  for (const text of texts) {
    const container = page.createElement("div");
    page.body?.append(container);
    container.innerHTML = text;
    result.inputs += 1;
  }
  for (const element of page.querySelectorAll("body *")) {
    element.focus?.();
    for (const { name } of [...element.attributes]) {
      if (name.startsWith("on")) {
        element.dispatchEvent(new window.Event(name.slice(2)));
      }
    }
    if (element.localName === "a" && element.protocol !== "http:" && element.protocol !== "https:") {
      element.click();
    }
  }
  await pause(100);
  frame.remove();
}

globalThis.run = async ({ seed, cuts }) => {
  const next = random(seed);
  const texts = all.flatMap(({ text }) => [text, `before ${text}`, cut(text, cuts, next)[0] + text]);
  const batches = [];
  for (let at = 0; at < texts.length; at += batch) {
    batches.push(texts.slice(at, at + batch));
  }
  const work = async () => {
    for (let texts = batches.pop(); texts !== undefined; texts = batches.pop()) {
      // A frame that an attack took down is one frame.
      await play(texts).catch(() => {});
    }
  };
  await Promise.all(Array.from({ length: 8 }, work));
  return result;
};

const all = await inputs();
// Some call the frame's parent.
watch(window, fired);
globalThis.ready = true;
