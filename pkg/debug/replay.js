// replay: what a recording holds happens once more, on its own clock, without a network.
import { ChatClient } from "../src/chat.js";
import { coded } from "../src/error.js";
import { died, isFatal, trouble } from "../src/life.js";
import { fetchSanitizer } from "../src/loader.js";
import { MarkdownStream } from "../src/markdown.js";
import { CALLS, FORMAT, VERSION, plainOptions } from "./recorder.js";

/**
 * @param {import("./index.js").Recording | string} recording
 * @param {Element} root an empty element
 * @param {import("./index.js").ReplayOptions} [options]
 */
export function replay(recording, root, { speed = 1, onentry, ...page } = {}) {
  const kept = checked(recording);
  if (!(speed > 0)) {
    throw coded("bad_speed", `a speed is a number above 0, or Infinity, not ${speed}`);
  }
  const player = new Player(kept);
  // What the page itself fetches is the page's to say.
  const { images, ...options } = plainOptions(kept.of, kept.options);
  const all = { ...options, ...page, recorder: player };
  const client =
    kept.of === "chat" ? new ChatClient({ ...all, root, storageKey: null }) : new MarkdownStream(root, all);
  const finished = player.play({ speed, onentry });
  return { client, finished, stop: () => player.stop() };
}

function checked(recording) {
  let kept = recording;
  if (typeof recording === "string") {
    try {
      kept = JSON.parse(recording);
    } catch (cause) {
      throw coded("bad_recording", "this is no JSON", cause);
    }
  }
  if (kept?.format !== FORMAT || kept.version !== VERSION) {
    throw coded("bad_recording", `replay takes a ${FORMAT} of version ${VERSION}`);
  }
  if (!Object.hasOwn(CALLS, kept.of) || !Array.isArray(kept.entries)) {
    throw coded("bad_recording", "nothing was recorded");
  }
  return kept;
}

/** Stands where the recorder stood: says again what that heard. */
class Player {
  #recording;
  #inner;
  #entry = { at: 0 };
  #reads = [];
  #diverged = false;
  #stopped = false;
  /** Who waits for the code around blocks of code, in order. */
  #waiting = [];

  constructor(recording) {
    this.#recording = recording;
  }

  attach(_of, _options, make) {
    const tape = {
      isReplay: true,
      input: () => {},
      now: () => this.#entry.at,
      random: () => Number(this.#read() ?? 0),
      id: () => String(this.#read()),
      sanitizer: () => this.#entry.sanitizer === true,
    };
    // The address is never asked: it says that there was one.
    this.#inner = make({ tape, url: this.#recording.options?.relay ? "replay:" : undefined });
    return this.#inner;
  }

  gate(fetched) {
    return new Promise((resolve) => this.#waiting.push((text) => resolve(text === undefined ? fetched : undefined)));
  }

  stop() {
    this.#stopped = true;
  }

  async play({ speed, onentry }) {
    const { entries } = this.#recording;
    if (this.#inner === undefined) {
      throw coded(trouble()?.code ?? "wasm_unavailable", "a recording is played by the wasm, and there is none");
    }
    if (entries.some((entry) => entry?.sanitizer)) {
      await fetchSanitizer();
    }
    if (entries.some((entry) => entry?.input === "code")) {
      await import("../code/team.js");
    }
    const origin = { here: performance.now(), there: entries[0]?.at ?? 0 };
    for (const [index, entry] of entries.entries()) {
      const due = origin.here + (entry?.at - origin.there) / speed;
      await turn(due - performance.now());
      if (this.#stopped) {
        return;
      }
      this.#step(entry, index);
      onentry?.(entry, index);
    }
    // What comes of the last one has its turn, too.
    await turn(0);
  }

  #step(entry, index) {
    const wrong = (code, words) => coded(code, `entry ${index} of the recording ${words}`);
    if (entry === null || typeof entry !== "object") {
      throw wrong("bad_recording", "is none");
    }
    this.#entry = entry;
    this.#reads = [...(entry.reads ?? [])];
    if (!this.#happens(entry)) {
      throw wrong("bad_recording", "is unknown");
    }
    if (this.#diverged || this.#reads.length > 0) {
      throw wrong("replay_diverged", "went another way than it did when it was recorded");
    }
  }

  #happens({ call, args = [], input, text }) {
    try {
      if (input === "code") {
        this.#waiting.shift()?.(text);
        return true;
      }
      if (input !== undefined) {
        return this.#inner.play(String(input), text);
      }
      const known = CALLS[this.#recording.of].includes(call);
      if (known) {
        this.#inner[call](...args);
      }
      return known;
    } catch (error) {
      if (isFatal(error)) {
        died(error?.message);
        throw error;
      }
      // It was refused then, too.
      return true;
    }
  }

  #read() {
    this.#diverged ||= this.#reads.length === 0;
    return this.#reads.shift();
  }
}

/** A task of its own, not before `ms` have gone by. */
function turn(ms) {
  return new Promise((resolve) => {
    if (ms > 1) {
      setTimeout(resolve, ms);
      return;
    }
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
