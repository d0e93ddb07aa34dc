// Whether a DOM says what the specification's HTML says. The same rule for every engine, generous where engines differ
// by design: classes, ids, wrappers, controls and images (which some show only on demand) do not count.
import DOMPurify from "dompurify";

const KEPT = { a: ["href", "title"], ol: ["start"], th: ["align"], td: ["align"] };
const WRAPPERS = new Set(["div", "span", "section", "article", "figure", "main"]);
const IGNORED = new Set(["button", "svg", "style", "script", "template"]);
const BLOCKS = new Set("p h1 h2 h3 h4 h5 h6 ul ol li blockquote pre table thead tbody tr th td hr details summary".split(" "));

function write(node, out, pre) {
  if (node.nodeType === Node.TEXT_NODE) {
    out.push(pre ? node.data : node.data.replace(/\s+/g, " "));
    return;
  }
  if (node.nodeType !== Node.ELEMENT_NODE && node.nodeType !== Node.DOCUMENT_FRAGMENT_NODE) return;
  const name = node.localName;
  if (node.nodeType === Node.ELEMENT_NODE) {
    if (IGNORED.has(name) || node.hasAttribute("data-riacho-ui")) return;
    if (name === "img") {
      out.push(node.alt);
      return;
    }
  }
  const wraps = node.nodeType === Node.ELEMENT_NODE && !WRAPPERS.has(name);
  if (wraps) {
    const attributes = (KEPT[name] ?? [])
      .filter((key) => node.hasAttribute(key) && !(name === "ol" && node.getAttribute(key) === "1"))
      .map((key) => ` ${key}=${key === "href" ? decoded(node.getAttribute(key)) : node.getAttribute(key)}`);
    out.push(`\u0001<${name}${attributes.join("")}>`);
  }
  for (const child of node.childNodes) write(child, out, pre || name === "pre");
  if (wraps) out.push(`\u0001</${name}>`);
}

function decoded(url) {
  try {
    return decodeURI(url);
  } catch {
    return url;
  }
}

/** White space beside the border of a block shows nowhere. */
function canonical(root) {
  const out = [];
  write(root, out, false);
  const edge = `\u0001</?(?:${[...BLOCKS].join("|")})(?: [^>]*)?>`;
  return out
    .join("")
    .replace(new RegExp(`\\s*(${edge})\\s*`, "g"), "$1")
    .replace(/\s*(\u0001<br>)\s*/g, "$1")
    .trim();
}

export function same(element, html) {
  const template = document.createElement("template");
  template.innerHTML = DOMPurify.sanitize(html);
  return canonical(element) === canonical(template.content);
}
