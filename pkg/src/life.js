// Whether the wasm is well; when it is not, what stands on it goes on in plain text.
import { coded } from "./error.js";

let broken;
/** The page's clients and streams, held weakly: what is forgotten is collected. */
const living = new Set();
const gone = new FinalizationRegistry((reference) => living.delete(reference));
let plain;

/** Why the wasm can't be used, or `undefined` while it can. */
export const trouble = () => broken;

/** `takeOver()` of what is registered is called once, when the wasm dies. Returns what takes it back. */
export function live(object) {
  const reference = new WeakRef(object);
  living.add(reference);
  gone.register(object, reference, reference);
  return () => {
    living.delete(reference);
    gone.unregister(reference);
  };
}

/** The wasm could not be started: everything that is made from now on is plain. Rejects if that can't be had either. */
export async function startPlain(error) {
  await loadPlain();
  broken = error;
}

/** The wasm panicked, or trapped: nothing of it may be called any more. */
export function died(words) {
  if (broken !== undefined) {
    return;
  }
  broken = coded("wasm_panicked", `riacho's wasm gave up: ${words}`);
  // As loud as any uncaught error, and one place to find it.
  reportError(broken);
  for (const reference of [...living]) {
    reference.deref()?.takeOver(broken);
  }
  living.clear();
}

/** A trap is a death, whether or not a panic could be told; so is an exception that went through the wasm. */
export const isFatal = (error) => typeof error?.code !== "string";

/** What needs no wasm; loaded when there is no other way. */
export function loadPlain() {
  plain ??= import("../plain/index.js").then((module) => {
    loaded = module;
    return module;
  });
  return plain;
}

let loaded;

/** The module of `loadPlain`, once it is there. */
export const plainNow = () => loaded;
