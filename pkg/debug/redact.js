// Text without its letters: as long as it was, in UTF-8 and in UTF-16, and with all that is markup in its place.

/** Strings under these names say how, not what. All others are taken for text. */
const STRUCTURE = new Set([
  "type", "id", "role", "status", "kind", "code", "reason", "provider", "providers", "model", "finish_reason", "rooms", "open",
  "conversation", "conversation_id", "message_id", "reply_id", "parent_id", "in_reply_to", "conversationId", "messageId",
]);

export function redacted(text) {
  return text.replaceAll(/[\p{L}\p{N}]/gu, (letter) => {
    const code = letter.codePointAt(0);
    if (code < 0x80) {
      return code < 0x3a ? "0" : code < 0x61 ? "X" : "x";
    }
    if (code < 0x800) {
      // From right to left stays from right to left.
      return code >= 0x590 ? "\u05d0" : "\u00e9";
    }
    return code < 0x10000 ? "\u6587" : "\u{1d465}";
  });
}

/** Of JSON only the text in it. What is no JSON is text. */
export function redactedJson(json) {
  try {
    return JSON.stringify(walked(JSON.parse(json), ""));
  } catch {
    return redacted(json);
  }
}

function walked(value, name) {
  if (typeof value === "string") {
    return STRUCTURE.has(name) ? value : redacted(value);
  }
  if (Array.isArray(value)) {
    return value.map((item) => walked(item, name));
  }
  if (value !== null && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, walked(item, key)]));
  }
  return value;
}
