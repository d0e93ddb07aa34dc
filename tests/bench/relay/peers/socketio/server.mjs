// Socket.IO on Node, as its guide has it: a room a conversation, an event a token.
import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { Server } from "socket.io";

const source = process.argv[2];
const http = createServer();
// Without "recover" it keeps nothing, as it comes; with it, what a client that comes back has missed.
const connectionStateRecovery = process.argv[3] === "recover" ? { maxDisconnectionDuration: 120000 } : undefined;
const io = new Server(http, { transports: ["websocket"], connectionStateRecovery });

async function answer(room) {
  const response = await fetch(`${source}/v1/chat/completions`, { method: "POST", body: "{}" });
  const message = randomUUID();
  let pending = "";
  let offset = 0;
  for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
    pending += text;
    const lines = pending.split("\n");
    pending = lines.pop();
    for (const line of lines) {
      if (!line.startsWith("data: {")) continue;
      const content = JSON.parse(line.slice(6)).choices[0].delta.content;
      if (content === undefined) continue;
      io.to(room).emit("message", { type: "message_chunk", conversation_id: room, message_id: message, epoch: 0, offset, content });
      offset += content.length;
    }
  }
  io.to(room).emit("message", { type: "response_complete" });
}

io.on("connection", (socket) => {
  socket.on("join", (room) => {
    socket.join(room);
    socket.emit("joined");
  });
  socket.on("send", answer);
});
http.listen(0, "127.0.0.1", () => console.log(`listening on 127.0.0.1:${http.address().port}`));
