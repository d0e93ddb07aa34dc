// Whole answers by HTTP, where the socket can't be had: what was sent goes to the relay's other door, once.

/** Answers that were asked for this way; a relay takes the same ids for the same message. */
const asked = new Set();

/**
 * @param options `url` of the socket, and `token`
 * @param outbox what was sent and has not been answered
 * @param handle takes the answer as an event
 */
export async function askWhole({ url, token }, outbox, handle) {
  const door = new URL("api/chat/send", url.replace(/^ws/, "http"));
  await Promise.all(
    [...outbox].map(async (sent) => {
      if (asked.has(sent.replyId)) {
        return;
      }
      asked.add(sent.replyId);
      try {
        handle(await ask(door, await token?.(), sent));
      } catch (error) {
        // Not by this door either: there is another try when the socket's next one fails.
        console.warn("riacho: no whole answer by HTTP:", error);
      } finally {
        asked.delete(sent.replyId);
      }
    }),
  );
}

async function ask(door, token, { conversationId, messageId, replyId, content, options = {} }) {
  const number = (value) => (value === undefined ? undefined : Number(value));
  const response = await fetch(door, {
    method: "POST",
    headers: {
      "content-type": "application/json",
      ...(token === undefined || token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    body: JSON.stringify({
      conversationId,
      messageId,
      replyId,
      content,
      provider: options.provider,
      model: options.model,
      options: {
        temperature: number(options.temperature),
        top_p: number(options.topP),
        max_tokens: number(options.maxTokens),
      },
      stream: false,
    }),
  });
  const answer = await response.json().catch(() => undefined);
  const about = { conversation_id: conversationId, message_id: replyId };
  if (answer?.success) {
    return { ...about, type: "response_complete", content: answer.content };
  }
  if (response.status >= 500 || typeof answer?.code !== "string") {
    // Another server's answer fails no message: the proxy may bring the socket to the relay, and this door not.
    throw new Error(answer?.message ?? `${response.status} ${response.statusText} for ${response.url}: is that the relay's?`);
  }
  return { ...about, type: "stream_error", code: answer.code, message: answer.message };
}
