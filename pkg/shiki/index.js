// The adapter for Shiki: its highlighter works in a worker, so that no grammar, however large, keeps the page waiting.

/**
 * For the option `highlight`. The worker starts when the first block of code comes.
 * @param {import("./index.js").ShikiOptions} [options]
 */
export function shiki(options = {}) {
  let office;
  return async (language) => {
    if (office === undefined) {
      // Whatever comes of it: a worker that can't be had is not asked for at every block.
      office = null;
      office = new Office(options);
    }
    return await office?.open(language);
  };
}

function start(worker) {
  if (typeof worker === "function") {
    return worker();
  }
  if (worker === undefined) {
    // As bundlers know it.
    return new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  }
  return new Worker(trusted(new URL(worker, document.baseURI).href), { type: "module" });
}

let policy;
const named = new Set();

/** Where Trusted Types are enforced a worker's address must come from a policy. This one knows what the page has named. */
function trusted(address) {
  named.add(address);
  policy ??= globalThis.trustedTypes?.createPolicy("riacho-shiki", {
    createScriptURL: (asked) => (named.has(asked) ? asked : undefined),
  });
  return policy?.createScriptURL(address) ?? address;
}

/** Asks the worker, and knows who waits for which answer. */
class Office {
  #worker;
  #count = 0;
  #waiting = new Map();
  #failed = false;

  constructor({ theme, worker }) {
    this.#worker = start(worker);
    this.#worker.addEventListener("message", ({ data: { question, answer, error, failed } }) => {
      if (failed !== undefined) {
        this.#fail(failed);
        return;
      }
      const [resolve, reject] = this.#waiting.get(question) ?? [];
      this.#waiting.delete(question);
      if (error === undefined) {
        resolve?.(answer);
      } else {
        reject?.(new Error(error));
      }
    });
    this.#worker.addEventListener("error", (event) => this.#fail(event.message || "the worker did not start"));
    this.#worker.addEventListener("messageerror", () => this.#fail("the worker was not understood"));
    this.#worker.postMessage({ theme });
  }

  /** A language that Shiki does not know is none, and so is every one once the worker is gone: that was said once. */
  async open(language) {
    if (this.#failed) {
      return undefined;
    }
    this.#count += 1;
    const block = this.#count;
    if (!(await this.#ask({ block, language }))) {
      return undefined;
    }
    return {
      lines: (lines) => this.#ask({ block, lines }),
      close: () => this.#worker.postMessage({ block, closed: true }),
    };
  }

  #ask(message) {
    return new Promise((resolve, reject) => {
      this.#count += 1;
      this.#waiting.set(this.#count, [resolve, reject]);
      this.#worker.postMessage({ ...message, question: this.#count });
    });
  }

  #fail(message) {
    this.#failed = true;
    this.#worker.terminate();
    for (const [, reject] of this.#waiting.values()) {
      reject(new Error(`Shiki's worker: ${message}`));
    }
    this.#waiting.clear();
  }
}
