# Flask-SocketIO on gevent, as its guide has it: a room a conversation, an event a token.
from gevent import monkey

monkey.patch_all()

import http.client
import json
import sys
import uuid
from urllib.parse import urlparse

from flask import Flask
from flask_socketio import SocketIO, emit, join_room
from gevent.pywsgi import WSGIServer
from geventwebsocket.handler import WebSocketHandler

source = urlparse(sys.argv[1])
app = Flask(__name__)
socketio = SocketIO(app, async_mode="gevent")


def answer(room):
    connection = http.client.HTTPConnection(source.hostname, source.port)
    connection.request("POST", "/v1/chat/completions", body="{}")
    message, offset = str(uuid.uuid4()), 0
    for line in connection.getresponse():
        if not line.startswith(b"data: {"):
            continue
        content = json.loads(line[6:])["choices"][0]["delta"].get("content")
        if content is None:
            continue
        socketio.emit("message", {"type": "message_chunk", "conversation_id": room, "message_id": message, "epoch": 0, "offset": offset, "content": content}, to=room)
        offset += len(content)
    socketio.emit("message", {"type": "response_complete"}, to=room)


@socketio.on("join")
def join(room):
    join_room(room)
    emit("joined")


@socketio.on("send")
def send(room):
    socketio.start_background_task(answer, room)


server = WSGIServer(("127.0.0.1", 0), app, handler_class=WebSocketHandler, log=None)
server.start()
print(f"listening on 127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
