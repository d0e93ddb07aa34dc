// Hostile text through the real package: each state of the DOM is looked over, then links are clicked and elements focused.
import init, { MarkdownStream } from "./riacho/index.js";
import { cut, inputs, pause, random, watch } from "./common.js";

const stage = document.getElementById("stage");
const short = 100;
const batch = 60;

// Written down by hand and not taken from the policy: a policy that lets more through must fail here.
const ANYWHERE = ["class", "dir", "id", "lang", "title"];
const ELEMENTS = new Map(
  Object.entries({
    a: ["href", "rel"], button: ["type"], col: ["span"], colgroup: ["span"], details: ["open"],
    input: ["checked", "disabled", "type"], li: ["value"], ol: ["reversed", "start", "type"],
    td: ["align", "colspan", "rowspan"], th: ["align", "colspan", "rowspan", "scope"],
    time: ["datetime"],
  }),
);
for (const name of ("abbr address article aside b blockquote br caption center cite code data dd del dfn div dl dt em " +
  "figcaption figure footer h1 h2 h3 h4 h5 h6 header hgroup hr i ins kbd main mark nav p pre q rt ruby s samp " +
  "section small span strong sub summary sup table tbody tfoot thead tr tt u ul var wbr").split(" ")) {
  ELEMENTS.set(name, []);
}
/** What riacho's own elements have beyond that; nothing of a text stands in them. */
const OWN = ["aria-label", "data-riacho-ui", "role"];
const SCHEMES = ["http:", "https:", "mailto:", "tel:"];

const result = {
  inputs: 0, states: 0, ended: 0, elements: 0, links: 0, clicks: 0, lost: 0, focused: 0, reparsed: 0,
  fired: [], violations: [], forbidden: [], mutated: [], wild: [],
};
let current = "";

function note(list, what) {
  // Enough to see what is wrong; the number is what counts.
  list.push(list.length < 50 ? `${current}: ${what}` : "");
}

/** What may not be there. */
function look(root) {
  result.states += 1;
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_ALL);
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (node.nodeType === Node.TEXT_NODE) {
      continue;
    }
    if (node.nodeType !== Node.ELEMENT_NODE || node.namespaceURI !== "http://www.w3.org/1999/xhtml") {
      note(result.forbidden, `a node of type ${node.nodeType} called ${node.nodeName}`);
      continue;
    }
    result.elements += 1;
    const own = ELEMENTS.get(node.localName);
    const isOurs = node.closest("[data-riacho-ui]") !== null;
    if (own === undefined || (node.localName === "button" && !isOurs)) {
      note(result.forbidden, `<${node.localName}>`);
      continue;
    }
    for (const { name, value } of node.attributes) {
      const good =
        (own.includes(name) || ANYWHERE.includes(name) || (isOurs && OWN.includes(name))) &&
        (name !== "id" || value.startsWith("user-content-")) &&
        (name !== "type" || node.localName !== "input" || (value === "checkbox" && node.disabled)) &&
        (name !== "href" || SCHEMES.includes(new URL(value, document.baseURI).protocol));
      if (!good) {
        note(result.forbidden, `<${node.localName} ${name}=${JSON.stringify(value)}>`);
      }
    }
    if (node.localName === "a" && node.href !== "" && !SCHEMES.includes(node.protocol)) {
      note(result.forbidden, `a link to ${node.href}`);
    }
  }
}

/** Serialised and parsed again it is the same tree. Not under Trusted Types, which forbid the parsing. */
function reparse(root) {
  const again = document.createElement("template");
  const html = root.innerHTML;
  again.innerHTML = html;
  result.reparsed += 1;
  root.normalize();
  const copy = document.createElement("div");
  copy.append(again.content);
  const original = root.cloneNode(true);
  [...original.attributes].forEach(({ name }) => original.removeAttribute(name));
  if (!copy.isEqualNode(original)) {
    note(result.mutated, `${html}\n  became ${copy.innerHTML}`);
  }
}

async function stream(pieces, free) {
  const container = document.createElement("div");
  stage.append(container);
  const markdown = new MarkdownStream(container, { idPrefix: "m" });
  for (const piece of pieces) {
    markdown.push(piece);
    markdown.flush();
    look(container);
  }
  await markdown.end();
  look(container);
  markdown.free();
  if (free) {
    reparse(container);
  }
}

/** One was lost in WebKit once, on a busy machine, and never again: so it is tried again, and counted. */
function click(link) {
  const before = result.clicks;
  for (let tries = 0; tries < 3 && result.clicks === before; tries += 1) {
    result.lost += Number(tries > 0);
    link.click();
  }
  if (result.clicks === before) {
    note(result.wild, `no click came of ${link.isConnected ? "" : "what is gone: "}${link.outerHTML}`);
  }
}

function touch() {
  for (const element of stage.querySelectorAll("*")) {
    if (element.localName === "a") {
      result.links += 1;
      click(element);
    } else if (element.localName === "summary" || element.localName === "input") {
      element.click();
    }
    element.focus();
    for (const type of ["focus", "blur", "mouseover", "mouseenter", "pointerover", "keydown", "toggle", "load", "error"]) {
      element.dispatchEvent(new Event(type, { bubbles: true }));
    }
    result.focused += 1;
  }
}

/** Up to `count` of the places where a text can be cut short, all of them if there are no more. */
function ends(text, count, next) {
  const places = Array.from({ length: text.length }, (_, at) => at);
  while (places.length > count) {
    places.splice(next(places.length), 1);
  }
  return places;
}

/** All of it. Short inputs also come by character, and as texts that end at some of their characters, or at all. */
globalThis.run = async ({ seed, cuts, prefixes, free }) => {
  const next = random(seed);
  const began = performance.now();
  for (let at = 0; at < all.length; at += batch) {
    for (const { name, text } of all.slice(at, at + batch)) {
      current = name;
      result.inputs += 1;
      await stream([text], free);
      await stream(["before ", text, "\n\nafter"], free);
      await stream(cut(text, cuts, next), free);
      if (text.length <= short) {
        await stream([...text], free);
        for (const at of ends(text, prefixes, next)) {
          await stream([text.slice(0, at)], false);
          result.ended += 1;
        }
      }
    }
    touch();
    // For what waits for a task, or for the network, to run.
    await pause(20);
    stage.replaceChildren();
  }
  await pause(500);
  return { ...result, milliseconds: Math.round(performance.now() - began) };
};

window.addEventListener("click", (event) => {
  const link = event.target.closest?.("a");
  if (link != null) {
    result.clicks += 1;
    // What would only lead away is kept here; what would run a script may try.
    if (link.href !== "" && SCHEMES.includes(link.protocol)) {
      event.preventDefault();
    }
  }
});
document.addEventListener("securitypolicyviolation", (event) => {
  note(result.violations, `${event.violatedDirective} ${event.blockedURI}`);
});
window.addEventListener("error", (event) => {
  // Not those that are sent to elements.
  if (event instanceof ErrorEvent) {
    note(result.wild, event.message);
  }
});
window.addEventListener("unhandledrejection", (event) => note(result.wild, event.reason));

await init();
const all = await inputs();
// The sanitiser comes with the first raw HTML, what goes around code with the first code; from then on nothing may be
// asked for.
const first = document.createElement("div");
const markdown = new MarkdownStream(first);
markdown.push("```\nx\n```\n\n<b>x</b>");
await markdown.end();
if (first.querySelector("b") === null) {
  throw new Error("the sanitiser did not come");
}
while (first.querySelector("pre button") === null) {
  await pause(10);
}
watch(window, (what) => note(result.fired, what));
globalThis.ready = true;
