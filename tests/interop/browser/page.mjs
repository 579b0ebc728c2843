// What runs inside the browser: a stompjs client that the test steers through window.lab.
// Everything it returns is plain data, so that it crosses to the test.
import { Client } from '/node_modules/stompjs7/esm6/index.js';

class Queue {
  #items = [];
  #waiting = [];

  push(item) {
    const waiting = this.#waiting.shift();
    if (waiting) waiting(item);
    else this.#items.push(item);
  }

  next() {
    if (this.#items.length) return this.#items.shift();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}

const events = { connected: new Queue(), closed: new Queue(), error: new Queue(), beat: new Queue() };
const inboxes = new Map();
let client;
let receipts = 0;

function toData(message) {
  const { headers, isBinaryBody } = message;
  const binary = [...message.binaryBody];
  return { headers, isBinaryBody, body: message.body, length: binary.length, first: binary.slice(0, 256) };
}

window.lab = {
  connect(url, options = {}) {
    client = new Client({
      brokerURL: url,
      connectHeaders: { login: 'guest', passcode: 'guest' },
      reconnectDelay: 50,
      heartbeatIncoming: 0,
      heartbeatOutgoing: 0,
      debug: (line) => line === '<<< PONG' && events.beat.push(performance.now()),
      onConnect: ({ headers }) => events.connected.push(headers),
      onStompError: ({ headers, body }) => events.error.push({ headers, body }),
      onWebSocketClose: ({ code, reason, wasClean }) => events.closed.push({ code, reason, wasClean }),
      ...options,
    });
    client.activate();
  },
  next: (event) => events[event].next(),
  protocol: () => client.webSocket.protocol,
  subscribe(destination, headers = {}) {
    const id = `receipt-${++receipts}`;
    inboxes.set(destination, new Queue());
    return new Promise((resolve) => {
      client.watchForReceipt(id, () => resolve());
      client.subscribe(destination, (message) => inboxes.get(destination).push(message), { ...headers, receipt: id });
    });
  },
  publish: (destination, body, headers = {}) => client.publish({ destination, body, headers }),
  publishBinary: (destination, octets) => client.publish({ destination, binaryBody: new Uint8Array(octets) }),
  async receive(destination, settle) {
    const message = await inboxes.get(destination).next();
    if (settle) message[settle]();
    return toData(message);
  },
  disconnect: () => client.deactivate(),
};
document.documentElement.dataset.ready = 'yes';
