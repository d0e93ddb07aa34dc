// Recorder: all that happens to one client or stream, in order: calls, frames of the socket and of the screen, timers,
// and what was read of the clock and of chance. What comes of it is not kept: it is the same each time.
import { version } from "../dist/riacho.js";
import { coded } from "../src/error.js";
import { uuid } from "../src/uuid.js";
import { redacted, redactedJson } from "./redact.js";

export const FORMAT = "riacho-recording";
export const VERSION = 1;

/** Characters of all entries together; about as many bytes in a file. */
const LIMIT = 16_000_000;

/** What an entry costs beside its text. */
const ENTRY = 40;

/** The calls that change something, as the package's wrappers make them. */
export const CALLS = {
  chat: [
    "open", "send", "stop", "pause", "resume", "retry", "handle", "listConversations", "rename", "setClosed", "loadOlder",
    "close",
  ],
  markdown: ["push", "pushCut", "flush", "end"],
};

/** What the core reads of an event of the page's transport. The rest stays with the page. */
const EVENT = [
  "type", "conversation_id", "conversationId", "message_id", "messageId", "role", "epoch", "chunk_number", "chunkNumber", "part",
  "kind", "name", "content", "chunk", "delta", "text", "full_response", "fullResponse", "code", "message", "error",
  "retry_after", "retryAfter",
];
const SEND = ["provider", "model", "temperature", "topP", "maxTokens"];
const OPTIONS = ["images", "sweepInterval", "sweepGrace", "codeHeader", "idPrefix"];

export class Recorder {
  #limit;
  #redact;
  #of;
  #options;
  #began;
  #entries = [];
  #size = 0;
  #complete = true;
  /** What is read belongs to this one. */
  #entry = { at: 0 };

  constructor({ limit = LIMIT, redact = false } = {}) {
    if (!(limit > 0)) {
      throw coded("bad_recorder", `a recording's limit is a number of characters above 0, not ${limit}`);
    }
    this.#limit = limit;
    this.#redact = Boolean(redact);
  }

  /** What was recorded so far: plain data, for `JSON.stringify` and for `replay`. */
  recording() {
    const entries = structuredClone(this.#entries);
    return {
      format: FORMAT,
      version: VERSION,
      package: version(),
      of: this.#of ?? null,
      began: this.#began ?? null,
      complete: this.#complete,
      redacted: this.#redact,
      options: structuredClone(this.#options ?? {}),
      entries: this.#redact ? entries.map(redactedEntry) : entries,
    };
  }

  /** For the package: what `make` makes is recorded from its first moment. */
  attach(of, options, make) {
    if (this.#of !== undefined) {
      throw coded("bad_recorder", "a Recorder records one ChatClient or one MarkdownStream");
    }
    this.#of = of;
    this.#began = new Date().toISOString();
    // Functions, elements and what may hold a secret (address, token, transport) are not on it.
    this.#options = JSON.parse(JSON.stringify(picked(options, OPTIONS)));
    if (of === "chat") {
      this.#options.relay = options.url !== undefined;
    }
    const inner = make({ tape: this.#tape() });
    const calls = new Set(CALLS[of]);
    return new Proxy(inner, {
      get: (target, name) => {
        const value = target[name];
        if (typeof value !== "function") {
          return value;
        }
        return (...args) => {
          if (calls.has(name)) {
            this.#note({ call: name, args: plainArguments(name, args) });
          }
          return value.apply(target, args);
        };
      },
    });
  }

  /** For the package: the code that goes around blocks of code is there. */
  gate(fetched) {
    return fetched.then((module) => {
      this.#note({ input: "code", ...(module === undefined ? { text: "unavailable" } : {}) });
      return module;
    });
  }

  #tape() {
    const read = (value) => {
      (this.#entry.reads ??= []).push(value);
      return value;
    };
    return {
      isReplay: false,
      input: (input, text) => this.#note(text === undefined ? { input } : { input, text }),
      // The same for all that comes of one entry.
      now: () => this.#entry.at,
      random: () => read(Math.floor(Math.random() * 2 ** 32)),
      id: () => read(uuid()),
      sanitizer: () => (this.#entry.sanitizer = true),
    };
  }

  #note(what) {
    this.#entry = { at: Math.floor(performance.now()), ...what };
    this.#size += ENTRY + (what.text?.length ?? 0) + (what.args === undefined ? 0 : JSON.stringify(what.args).length);
    // Without its beginning nothing can be played: what is too much is left out at the end.
    this.#complete &&= this.#size <= this.#limit;
    if (this.#complete) {
      this.#entries.push(this.#entry);
    }
  }
}

function picked(object, names) {
  return Object.fromEntries(names.filter((name) => object?.[name] !== undefined).map((name) => [name, object[name]]));
}

function plainArguments(name, args) {
  if (name === "send") {
    return [args[0], picked(args[1], SEND)];
  }
  if (name === "handle") {
    return [JSON.stringify(picked(JSON.parse(args[0]), EVENT))];
  }
  return args;
}

/** Ids and numbers stay; text loses its letters. */
function redactedEntry(entry) {
  const { call, args, input, text } = entry;
  if (call === "handle") {
    return { ...entry, args: [redactedJson(args[0])] };
  }
  if (call === "send" || call === "push" || call === "pushCut") {
    return { ...entry, args: [redacted(args[0]), ...args.slice(1)] };
  }
  if (call === "rename") {
    return { ...entry, args: [args[0], redacted(args[1])] };
  }
  if (input === "text" || input === "start") {
    return text === undefined ? entry : { ...entry, text: redactedJson(text) };
  }
  return input === "closed" && text !== undefined ? { ...entry, text: redacted(text) } : entry;
}
