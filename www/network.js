// A bad network, on wish: sockets that are cut again and again. It must be set up before the chat opens its first one.

/** Between these many milliseconds a socket lives while the network is bad. */
const LIFE = [1500, 4000];

export function badNetwork() {
  const sockets = new Set();
  let bad = false;
  let cuts = 0;

  const doom = (socket) => {
    const life = LIFE[0] + Math.random() * (LIFE[1] - LIFE[0]);
    setTimeout(() => {
      if (bad && sockets.has(socket)) {
        cuts += 1;
        socket.close();
      }
    }, life);
  };
  globalThis.WebSocket = class extends WebSocket {
    constructor(...args) {
      super(...args);
      sockets.add(this);
      this.addEventListener("close", () => sockets.delete(this));
      if (bad) {
        doom(this);
      }
    }
  };
  return {
    get bad() {
      return bad;
    },
    set bad(value) {
      bad = value;
      if (bad) {
        sockets.forEach(doom);
      }
    },
    get cuts() {
      return cuts;
    },
  };
}
