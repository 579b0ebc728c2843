// @stomp/stompjs 5, 6 and 7 behind the interface of support/common_script.mjs.
// Sockets are npm `ws` under the global name that the client looks for, as in a browser.
import WebSocket from 'ws';
import { Counter, Inbox, bounded, deferred } from './waiting.mjs';

/** The sockets that clients opened by themselves, by URL. */
const sockets = new Map();

globalThis.WebSocket = class extends WebSocket {
  constructor(url, protocols) {
    super(url, protocols);
    sockets.set(url, this);
  }
};

let connections = 0;

/** The module of one major version, whatever its packaging. */
export async function loadStompjs(name) {
  const module = await import(name);
  return module.Client ? module : module.default;
}

class Message {
  constructor(message) {
    this.raw = message;
    this.headers = message.headers;
  }

  get body() {
    return this.raw.body;
  }

  get bytes() {
    return Buffer.from(this.raw.binaryBody);
  }

  ack(headers) {
    this.raw.ack(headers);
  }

  nack(headers) {
    this.raw.nack(headers);
  }
}

class Session {
  beats = new Counter();
  #client;
  #url;
  #socket;
  #receipts = 0;
  #lost = deferred();

  constructor(client, url) {
    this.#client = client;
    this.#url = url;
  }

  get client() {
    return this.#client;
  }

  get socket() {
    return this.#socket ?? sockets.get(this.#url);
  }

  set socket(socket) {
    this.#socket = socket;
  }

  async open() {
    const connected = deferred();
    Object.assign(this.#client, {
      debug: (line) => this.#count(line),
      onConnect: (frame) => connected.resolve(frame),
      onStompError: (frame) => {
        const error = Object.assign(new Error(frame.headers.message), { frame, body: frame.body });
        connected.reject(error);
        this.#lost.reject(error);
      },
      onWebSocketClose: (event) => {
        const error = Object.assign(new Error(`closed ${event.code}`), { code: event.code });
        connected.reject(error);
        this.#lost.reject(error);
      },
    });
    this.#client.activate();
    try {
      this.connected = (await bounded(connected.promise, 'CONNECTED')).headers;
    } catch (error) {
      this.#client.deactivate();
      throw error;
    }
    return this;
  }

  async subscribe(destination, headers = {}) {
    const inbox = new Inbox(`MESSAGE on ${destination}`);
    const receipt = this.receipt();
    const subscription = this.#client.subscribe(destination, (message) => inbox.push(new Message(message)), {
      ...headers,
      receipt: receipt.id,
    });
    await receipt.received;
    inbox.id = subscription.id;
    inbox.unsubscribe = async () => {
      const gone = this.receipt();
      subscription.unsubscribe({ receipt: gone.id });
      await gone.received;
    };
    return inbox;
  }

  send(destination, body, headers = {}) {
    const content = typeof body === 'string' ? { body } : { binaryBody: new Uint8Array(body) };
    this.#client.publish({ destination, headers, ...content });
  }

  async sendAndWait(destination, body, headers = {}) {
    const receipt = this.receipt();
    this.send(destination, body, { ...headers, receipt: receipt.id });
    await receipt.received;
  }

  /** A fresh receipt id and the promise of its RECEIPT. */
  receipt() {
    const id = `receipt-${++this.#receipts}`;
    const done = deferred();
    this.#client.watchForReceipt(id, done.resolve);
    return { id, received: bounded(Promise.race([done.promise, this.#lost.promise]), `RECEIPT ${id}`) };
  }

  begin() {
    const transaction = this.#client.begin();
    return { id: transaction.id, commit: () => transaction.commit(), abort: () => transaction.abort() };
  }

  /** DISCONNECT with a receipt, then the closed socket. */
  async disconnect() {
    const done = deferred();
    this.#client.onDisconnect = (frame) => done.resolve(frame);
    this.#client.deactivate();
    return bounded(done.promise, 'RECEIPT of DISCONNECT');
  }

  /** The end of a client that crashed. */
  kill() {
    this.#client.reconnectDelay = 0;
    this.socket.terminate();
  }

  /** Ends with the error that took the connection away. */
  async lost() {
    return bounded(this.#lost.promise.catch((error) => error), 'the end of the connection');
  }

  #count(line) {
    if (line === '<<< PONG') this.beats.count('received');
    if (line === '>>> PING') this.beats.count('sent');
  }
}

/**
 * Opens sessions with one version of the client; `options` are properties of its Client.
 * `transport(broker, url)` makes a socket in place of the client's own.
 */
export function stompjsAdapter(stompjs, options = {}, transport = undefined) {
  return (broker, { login = 'guest', passcode = 'guest', beats = 0, version, reconnect = 0 } = {}) => {
    const url = `${broker.ws}?connection=${++connections}`;
    const versions = version ? { stompVersions: new stompjs.Versions([version]) } : {};
    const client = new stompjs.Client({
      brokerURL: url,
      connectHeaders: { login, passcode },
      reconnectDelay: reconnect,
      heartbeatIncoming: beats,
      heartbeatOutgoing: beats,
      ...versions,
      ...options,
    });
    const session = new Session(client, url);
    if (transport) client.webSocketFactory = () => (session.socket = transport(broker, url));
    return session.open();
  };
}
