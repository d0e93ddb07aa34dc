// What the page under test and its control share: the inputs, what counts as a script that ran, random cuts.

/** Every input: its name and its text. */
export async function inputs() {
  const [attacks, fetches] = await Promise.all(
    ["attacks.jsonl", "fetches.json"].map((file) => fetch(file).then((response) => response.text())),
  );
  const corpus = attacks
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line))
    .map(({ id, src, data }) => ({ name: `${src} ${id}`, text: data }));
  return [...corpus, ...JSON.parse(fetches).map(([name, text]) => ({ name, text }))];
}

/** What attacks call when they got through. */
export function watch(window, fired) {
  const names = ["alert", "confirm", "prompt", "print", "open", "eval", "fetch", "importScripts"];
  for (const name of names) {
    window[name] = (...args) => {
      fired(`${name}(${args.map(String).join().slice(0, 40)})`);
    };
  }
  for (const name of ["write", "writeln", "open"]) {
    window.document[name] = () => fired(`document.${name}`);
  }
  for (const [owner, name] of [
    [window.XMLHttpRequest.prototype, "send"],
    [window.Navigator.prototype, "sendBeacon"],
    [window.HTMLFormElement.prototype, "submit"],
  ]) {
    owner[name] = () => fired(name);
  }
}

/** Numbers below `n`, the same for the same seed (mulberry32). */
export function random(seed) {
  let state = seed | 0;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % n;
  };
}

/** A text in `count + 1` pieces. */
export function cut(text, count, next) {
  const places = Array.from({ length: count }, () => next(text.length + 1)).sort((a, b) => a - b);
  return [0, ...places].map((from, at) => text.slice(from, places[at]));
}

export const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
