// Finds and starts the wasm, once. Hand-owned: the generated glue is only ever reached through here.
import start, { onDeath, setSanitizerLoader } from "../dist/riacho.js";
import { coded } from "./error.js";
import { died, startPlain } from "./life.js";

let starting;
let started = false;
/** Once the wasm is there: promises the second module's function from a question to a flat tree. */
export let fetchSanitizer;

/**
 * Idempotent. Without arguments the wasm is found beside the module; else a URL, bytes, a compiled module, or
 * `{ core, sanitizer, fallback }` with one of these each. Where the wasm can't be had, text is shown plain, unless
 * `fallback` is `"none"`. Resolves to `{ mode, error }`.
 */
export function init(source) {
  starting ??= run(source).catch((error) => {
    // A failed fetch may go well the next time.
    starting = undefined;
    throw error;
  });
  return starting;
}

/** Throws unless `init()` has ended well. */
export function assertStarted(what) {
  if (!started) {
    throw coded("not_initialised", `${what} needs the wasm: await init() first`);
  }
}

async function run(source) {
  const { core, sanitizer, fallback = "plain" } = sources(source);
  try {
    await start({ module_or_path: core ?? new URL("../dist/riacho_bg.wasm", import.meta.url) });
  } catch (cause) {
    const error = coded(codeOf(cause), `riacho could not start its wasm: ${cause?.message ?? cause}`, cause);
    if (fallback === "none") {
      throw error;
    }
    await startPlain(error).catch(() => {
      // The server gives out neither: what went wrong first says more.
      throw error;
    });
    started = true;
    return { mode: "plain", error };
  }
  onDeath(died);
  setSanitizerLoader((fetchSanitizer = () => loadSanitizer(sanitizer)));
  started = true;
  return { mode: "wasm" };
}

function sources(source) {
  const single =
    source === undefined ||
    typeof source === "string" ||
    source instanceof URL ||
    source instanceof ArrayBuffer ||
    ArrayBuffer.isView(source) ||
    (typeof WebAssembly === "object" && source instanceof WebAssembly.Module) ||
    (typeof Response === "function" && source instanceof Response) ||
    typeof source?.then === "function";
  return single ? { core: source } : (source ?? {});
}

function codeOf(cause) {
  // What a content security policy without 'wasm-unsafe-eval' causes, as each engine says it.
  const forbidden = cause instanceof EvalError || /CSP|Content.Security.Policy|Refused to c/i.test(cause?.message);
  if (typeof WebAssembly !== "object" || forbidden) {
    return "wasm_blocked";
  }
  return cause instanceof WebAssembly.LinkError ? "wasm_mismatch" : "wasm_unavailable";
}

/** The second module, when raw HTML first appears: a function from a question to a flat tree. */
async function loadSanitizer(source) {
  const module = await import("../dist/riacho_sanitizer.js");
  await module.default({
    module_or_path: source ?? new URL("../dist/riacho_sanitizer_bg.wasm", import.meta.url),
  });
  return module.sanitize;
}
