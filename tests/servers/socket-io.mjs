// A Socket.IO backend as many a chat has one: three events, ids of its own, and the whole text again at the end.
import { Server } from "socket.io";
import { pieces, serve, sleep } from "./serve.mjs";

// The library serves its own client at /socket.io/socket.io.esm.min.js.
const server = serve((request) => request.url.startsWith("/socket.io/"));

let answers = 0;

new Server(server).on("connection", (socket) => {
  const stopped = new Set();
  socket.on("stop", ({ message_id }) => stopped.add(message_id));
  socket.on("seen", (tell) => tell([...stopped]));
  socket.on("send_message", async ({ conversation_id, reply_id, content }) => {
    answers += 1;
    const ids = content.includes("own ids") ? `answer-${answers}` : reply_id;
    const about = { message_id: ids, conversation_id };
    const texts = pieces(content.includes("long") ? 5_000 : 30);
    let said = "";
    for (const [chunk_number, chunk] of texts.entries()) {
      if (stopped.has(reply_id)) {
        return;
      }
      if (content.includes("fail") && chunk_number === 5) {
        socket.emit("stream_error", { ...about, error: { message: "o modelo caiu" } });
        return;
      }
      said += chunk;
      for (let times = content.includes("twice") ? 2 : 1; times > 0; times -= 1) {
        socket.emit("message_chunk", { ...about, chunk, chunk_number });
      }
      await sleep(5);
    }
    for (let times = content.includes("twice") ? 2 : 1; times > 0; times -= 1) {
      socket.emit("response_complete", { ...about, full_response: said });
    }
  });
});
