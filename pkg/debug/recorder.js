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
    "setWindow", "setPace", "setWords", "close",
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
/** Plain ones. A file that somebody else has made may set no others. */
const OPTIONS = ["images", "window", "sweepInterval", "sweepGrace", "codeHeader", "idPrefix"];

/** The calls after which it may be given to another: what mounts twice has one of it. */
const LAST = ["close", "free", "end"];

export class Recorder {
  #limit;
  #redact;
  #session;

  constructor({ limit = LIMIT, redact = false } = {}) {
    if (!(limit > 0)) {
      throw coded("bad_recorder", `a recording's limit is a number of characters above 0, not ${limit}`);
    }
    this.#limit = limit;
    this.#redact = Boolean(redact);
  }

  /** What was recorded so far: plain data, for `JSON.stringify` and for `replay`. */
  recording() {
    const { of = null, began = null, isComplete = true, options = {}, entries = [] } = this.#session ?? {};
    return {
      format: FORMAT,
      version: VERSION,
      package: version(),
      of,
      began,
      complete: isComplete,
      redacted: this.#redact,
      options: structuredClone(options),
      entries: structuredClone(entries).map((entry) => (this.#redact ? redactedEntry(entry) : entry)),
    };
  }

  /** For the package: what `make` makes is recorded from its first moment. */
  attach(of, options, make) {
    if (this.#session !== undefined && !this.#session.isOver) {
      throw coded("bad_recorder", "a Recorder records one ChatClient, or one MarkdownStream, at a time");
    }
    const session = new Session(of, options, this.#limit);
    this.#session = session;
    return session.heard(make({ tape: session.tape() }));
  }

  /** For the package: the code that goes around blocks of code is there. */
  gate(fetched) {
    const session = this.#session;
    return fetched.then((module) => {
      session.note(module === undefined ? { input: "code", text: "unavailable" } : { input: "code" });
      return module;
    });
  }
}

/** What happens to one client or stream. */
class Session {
  began = new Date().toISOString();
  entries = [];
  isComplete = true;
  isOver = false;
  #left;
  /** What is read belongs to this one. */
  #entry = { at: 0 };

  constructor(of, options, limit) {
    this.of = of;
    // Functions, elements and what may hold a secret (address, token, transport) are not on it.
    this.options = JSON.parse(JSON.stringify(plainOptions(of, options)));
    if (of === "chat") {
      this.options.relay = options.url !== undefined;
    }
    this.#left = limit;
  }

  note(what) {
    this.#entry = { at: Math.floor(performance.now()), ...what };
    this.#left -= ENTRY + (what.text?.length ?? 0) + (what.args === undefined ? 0 : JSON.stringify(what.args).length);
    // Without its beginning nothing can be played: what is too much is left out at the end.
    this.isComplete &&= this.#left >= 0;
    if (this.isComplete) {
      this.entries.push(this.#entry);
    }
  }

  tape() {
    const read = (value) => {
      (this.#entry.reads ??= []).push(value);
      return value;
    };
    return {
      isReplay: false,
      input: (input, text) => this.note(text === undefined ? { input } : { input, text }),
      // The same for all that comes of one entry.
      now: () => this.#entry.at,
      random: () => read(Math.floor(Math.random() * 2 ** 32)),
      id: () => read(uuid()),
      sanitizer: () => (this.#entry.sanitizer = true),
    };
  }

  /** The wasm's object, whose calls are heard. */
  heard(inner) {
    const calls = new Set(CALLS[this.of]);
    return new Proxy(inner, {
      // It does not look like the wasm's own object: short text then comes as text, and not as numbers.
      getPrototypeOf: () => null,
      get: (target, name) => {
        const value = target[name];
        if (typeof value !== "function") {
          return value;
        }
        return (...args) => {
          this.isOver ||= LAST.includes(name);
          if (calls.has(name)) {
            this.note({ call: name, args: plainArguments(name, args) });
          }
          return value.apply(target, args);
        };
      },
    });
  }
}

/** What of the options is plain; of a header its words. Those of a chat are calls of their own. */
export function plainOptions(of, options) {
  const plain = picked(options, OPTIONS);
  const { codeHeader } = plain;
  if (of === "markdown" && options?.words !== undefined) {
    plain.words = picked(options.words, ["load_image"]);
  }
  return typeof codeHeader === "object" ? { ...plain, codeHeader: picked(codeHeader, ["copy", "copied", "failed"]) } : plain;
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
