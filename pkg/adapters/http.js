// What the adapters over `fetch` share: one request, its refusals as codes, and the events of its body.
import { coded } from "../src/error.js";

/** A value, or a function that gives it, now or later. */
export const resolve = (value) => (typeof value === "function" ? value() : value);

/**
 * POSTs JSON. Throws with a code of the wire where there is no answer to read, or it is a refusal.
 */
export async function post(url, { fetch = globalThis.fetch, headers, credentials, body, signal }) {
  let response;
  try {
    response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...Object.fromEntries(new Headers(await resolve(headers))) },
      credentials,
      body: JSON.stringify(body),
      signal,
    });
  } catch (cause) {
    throw coded("provider_unreachable", `no answer from ${url}: ${cause?.message ?? cause}`, cause);
  }
  if (!response.ok) {
    throw await refusal(response);
  }
  return response;
}

async function refusal(response) {
  const { status } = response;
  const text = await response.text().catch(() => "");
  const error = coded(refusalCode(status), words(text) || `the server answered with ${status}`);
  const after = Number(response.headers.get("retry-after"));
  return after > 0 ? Object.assign(error, { retryAfter: Math.ceil(after) }) : error;
}

function refusalCode(status) {
  if (status === 401 || status === 403) {
    return "provider_auth";
  }
  if (status === 429) {
    return "provider_rate_limited";
  }
  return status >= 500 ? "provider_failed" : "provider_rejected";
}

/** What an error's body says: `{error: {message}}`, `{message}`, or short text. */
function words(text) {
  try {
    return errorWords(JSON.parse(text));
  } catch {
    return text.startsWith("<") ? "" : text.slice(0, 300).trim();
  }
}

/** The message in any of the shapes that servers give an error. */
export function errorWords(value) {
  const found = value?.error?.message ?? value?.message ?? value?.error ?? value;
  return typeof found === "string" ? found : JSON.stringify(found);
}

/** One event larger than this is no chat's: it would be memory without a bound. */
const MOST = 8 * 1024 * 1024;

/**
 * The data of each server-sent event, as the HTML standard reads a stream (section 9.2.6): lines end in LF, CR or CRLF,
 * data lines of one event are joined, comments are left out, and an event without its blank line at the end is none.
 */
export async function* serverSentEvents(response) {
  if (response.body === null) {
    return;
  }
  let rest = "";
  let data = [];
  const lines = function* (text, last) {
    rest += text;
    if (rest.length > MOST) {
      throw coded("provider_malformed", "an event of the stream is too large");
    }
    // A CR at the very end may be the first half of CRLF: it waits.
    const parts = rest.split(last ? /\r\n|\n|\r/ : /\r\n|\n|\r(?!$)/);
    rest = parts.pop();
    for (const line of parts) {
      if (line === "") {
        if (data.length > 0) {
          yield data.join("\n");
        }
        data = [];
      } else if (line === "data" || line.startsWith("data:")) {
        data.push(line.slice(5).replace(/^ /, ""));
      }
    }
  };
  const reader = response.body.getReader();
  // It leaves out a byte order mark.
  const decoder = new TextDecoder();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      yield* lines(done ? decoder.decode() : decoder.decode(value, { stream: true }), done);
      if (done) {
        return;
      }
    }
  } catch (cause) {
    throw cause?.code === undefined || cause instanceof DOMException
      ? coded("provider_truncated", `the connection broke: ${cause?.message ?? cause}`, cause)
      : cause;
  } finally {
    // Who stops reading lets the connection go.
    reader.cancel().catch(() => {});
  }
}

/** An event's JSON; what can't be read is said with its start. */
export function parsed(data) {
  try {
    return JSON.parse(data);
  } catch (cause) {
    throw coded("provider_malformed", `an event of the stream is no JSON: ${data.slice(0, 80)}`, cause);
  }
}

/** Gives each part of an answer its index, in order of appearance, with what the first chunk of one says of it. */
export class Parts {
  #index = new Map();

  chunk(key, info, content) {
    const known = this.#index.get(key);
    const part = known ?? this.#index.size;
    this.#index.set(key, part);
    return { type: "message_chunk", part, ...(known === undefined ? info : {}), content };
  }
}
