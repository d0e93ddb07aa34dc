// Finds and starts the wasm modules that this page's imports need, each once, and all at the same time.
import start, { onDeath, setSanitizer, setSanitizerLoader } from "../dist/riacho.js";
import { coded } from "./error.js";
import { died, startPlain, trouble } from "./life.js";

let starting;
const modules = [];
let sanitizerSource;
let fetching;
let sanitize;

/**
 * Called by who imports a module's glue: from now on `init()` starts it, too.
 * @param {string} name of the option that says where it is instead
 * @param {Function} start
 * @param {() => URL} find
 * @param {(tell: (words: string) => void) => void} onStart
 */
export function needs(name, start, find, onStart) {
  const module = { name, start, find, onStart, starting: undefined, isStarted: false };
  modules.push(module);
  // What was started before has started without it.
  starting = undefined;
  return module;
}

export const CORE = needs(
  "core",
  start,
  () => new URL("../dist/riacho_bg.wasm", import.meta.url),
  (tell) => {
    onDeath(tell);
    setSanitizerLoader((told) => fetchSanitizer().then(() => told(), (error) => told(String(error?.message ?? error))));
  },
);

const SANITIZER = { find: () => new URL("../dist/riacho_sanitizer_bg.wasm", import.meta.url), onStart() {} };

/** The third module, when raw HTML first appears or before: fetched once for the page. What failed is tried again by the next who asks. */
export function fetchSanitizer() {
  fetching ??= loadSanitizer().catch((error) => {
    fetching = undefined;
    throw error;
  });
  return fetching;
}

async function loadSanitizer() {
  const glue = await import("../dist/riacho_sanitizer.js");
  SANITIZER.start = glue.default;
  await begun(SANITIZER, sanitizerSource);
  // Who preloads it does not wait for the core.
  await CORE.starting;
  sanitize = glue.sanitize;
  setSanitizer(sanitize);
}

/** A function from a question to a flat tree, once it has been fetched. */
export const sanitizer = () => sanitize;

/**
 * Idempotent. Without arguments the wasm is found beside the module; else a URL, bytes, a compiled module (the core's), or
 * `{ core, client, sanitizer }` with one of these each, `fallback`, and `preloadSanitizer`. Where the wasm can't be had, text is
 * shown plain, unless `fallback` is `"none"`. Resolves to `{ mode, error }`.
 */
export function init(source) {
  const given = sources(source);
  starting ??= run(given).catch((error) => {
    // A failed fetch may go well the next time.
    starting = undefined;
    throw error;
  });
  return given.preloadSanitizer && trouble() === undefined ? withSanitizer(starting) : starting;
}

async function withSanitizer(starting) {
  // Without it raw HTML is text; the first of it asks again.
  const preloaded = fetchSanitizer().catch(() => {});
  const started = await starting;
  await preloaded;
  return started;
}

/** Throws unless `init()` has ended well. */
export function assertStarted(what, module) {
  if (!module.isStarted && trouble() === undefined) {
    const again = CORE.isStarted ? "init() once more: this was imported after it" : "init() first";
    throw coded("not_initialised", `${what} needs the wasm: await ${again}`);
  }
}

async function run(given) {
  if (trouble() !== undefined) {
    return { mode: "plain", error: trouble() };
  }
  sanitizerSource ??= given.sanitizer;
  try {
    await Promise.all(modules.map((module) => begun(module, given[module.name])));
  } catch (cause) {
    const code = codeOf(cause);
    // Browsers speak of 'unsafe-eval' here, which allows far more than is needed.
    const hint = code === "wasm_blocked" ? " (a content policy needs 'wasm-unsafe-eval' in its script-src)" : "";
    const error = coded(code, `riacho could not start its wasm: ${cause?.message ?? cause}${hint}`, cause);
    if (given.fallback === "none") {
      throw error;
    }
    await startPlain(error).catch(() => {
      // The server gives out neither: what went wrong first says more.
      throw error;
    });
    console.warn(`${error.message}; text is shown plain`);
    return { mode: "plain", error };
  }
  return { mode: "wasm" };
}

/** Each module is started once; what failed may be tried again. */
function begun(module, source) {
  module.starting ??= started(module.start, source ?? module.find()).then(
    () => {
      module.onStart(died);
      module.isStarted = true;
    },
    (error) => {
      module.starting = undefined;
      throw error;
    },
  );
  return module.starting;
}

/** Starts a module by its glue. What is fetched is compiled as it comes, where the server says what it is. */
async function started(start, source) {
  let given = await source;
  if (typeof given === "string" || ["URL", "Request"].includes(kind(given))) {
    given = await fetch(given);
  }
  if (kind(given) === "Response") {
    if (!given.ok) {
      throw new Error(`${given.status} ${given.statusText} for ${given.url}`);
    }
    if (given.headers.get("content-type") === "application/wasm") {
      given = await WebAssembly.compileStreaming(given);
    } else {
      console.warn(`riacho: ${given.url} starts later than it could: it is not served as application/wasm`);
      given = await given.arrayBuffer();
    }
  }
  const module = kind(given) === "WebAssembly.Module" ? given : await WebAssembly.compile(given);
  await start({ module_or_path: module });
}

/** What an object is by its own account: one of another frame, or without a prototype, is the same as one of this page. */
const kind = (value) => Object.prototype.toString.call(value).slice(8, -1);

/** An object of options, or one source alone. */
const sources = (source) =>
  ["Object", "Module"].includes(kind(source)) && source.then === undefined ? source : { core: source };

function codeOf(cause) {
  // What a content security policy without 'wasm-unsafe-eval' causes, as each engine says it.
  const forbidden = cause instanceof EvalError || /CSP|Content.Security.Policy|Refused to c/i.test(cause?.message);
  if (typeof WebAssembly !== "object" || forbidden) {
    return "wasm_blocked";
  }
  return cause instanceof WebAssembly.LinkError ? "wasm_mismatch" : "wasm_unavailable";
}
