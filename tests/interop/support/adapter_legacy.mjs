// stompjs 2.3.3, stomp-websocket and webstomp-client behind the interface of support/common_script.mjs.
// They hand over what they read as it is: no unescaping, and no receipts but through one callback.
import WebSocket from 'ws';
import { Counter, Inbox, bounded, deferred } from './waiting.mjs';

class Message {
  constructor(frame) {
    this.frame = frame;
    this.headers = frame.headers;
    this.body = frame.body;
  }

  ack(headers) {
    this.frame.ack(headers);
  }

  nack(headers) {
    this.frame.nack(headers);
  }
}

class Session {
  beats = new Counter();
  #client;
  #send;
  #receipts = new Map();
  #lost = deferred();

  constructor(socket, client, send) {
    this.socket = socket;
    this.#client = client;
    this.#send = send;
  }

  async open(headers) {
    const connected = deferred();
    this.#client.debug = (line) => this.#count(line);
    this.#client.onreceipt = (frame) => this.#receipts.get(frame.headers['receipt-id'])?.resolve(frame);
    this.#client.connect(headers, connected.resolve, (failure) => {
      const error = failure.command
        ? Object.assign(new Error(failure.headers.message), { frame: failure, body: failure.body })
        : new Error(`closed: ${failure.code ?? failure}`);
      connected.reject(error);
      this.#lost.reject(error);
    });
    this.connected = (await bounded(connected.promise, 'CONNECTED')).headers;
    return this;
  }

  async subscribe(destination, headers = {}) {
    const inbox = new Inbox(`MESSAGE on ${destination}`);
    const receipt = this.#receipt();
    const subscription = this.#client.subscribe(destination, (frame) => inbox.push(new Message(frame)), {
      ...headers,
      receipt: receipt.id,
    });
    await receipt.received;
    inbox.id = subscription.id;
    // These clients ask no receipt for it: the next frame's tells.
    inbox.unsubscribe = async () => {
      subscription.unsubscribe();
      await this.sendAndWait('/fence/here', '');
    };
    return inbox;
  }

  send(destination, body, headers = {}) {
    this.#send(destination, body, { ...headers });
  }

  async sendAndWait(destination, body, headers = {}) {
    const receipt = this.#receipt();
    this.send(destination, body, { ...headers, receipt: receipt.id });
    await receipt.received;
  }

  begin() {
    const { id, commit, abort } = this.#client.begin();
    return { id, commit: () => commit(), abort: () => abort() };
  }

  /** DISCONNECT and the closing handshake at once, as these clients do. */
  async disconnect() {
    const closed = deferred();
    this.#client.disconnect();
    this.socket.onclose = closed.resolve;
    return bounded(closed.promise, 'the end of the connection');
  }

  kill() {
    this.socket.onclose = null;
    this.socket.terminate();
    this.#client._cleanUp();
  }

  async lost() {
    return bounded(this.#lost.promise.catch((error) => error), 'the end of the connection');
  }

  #receipt() {
    const id = `receipt-${this.#receipts.size}`;
    const done = deferred();
    this.#receipts.set(id, done);
    return { id, received: bounded(Promise.race([done.promise, this.#lost.promise]), `RECEIPT ${id}`) };
  }

  #count(line) {
    if (line === '<<< PONG') this.beats.count('received');
    if (line === '>>> PING') this.beats.count('sent');
  }
}

const protocolOf = (version) => `v${version.replace('.', '')}.stomp`;

/** stompjs 2.3.3 and its successor stomp-websocket: `send(destination, headers, body)`, versions 1.0 and 1.1. */
export function jmesnilAdapter(Stomp) {
  return (broker, { login = 'guest', passcode = 'guest', beats = 0, version } = {}) => {
    const protocols = version ? [protocolOf(version)] : ['v10.stomp', 'v11.stomp'];
    const socket = new WebSocket(broker.ws, protocols);
    const client = Stomp.over(socket);
    client.heartbeat = { outgoing: beats, incoming: beats };
    const send = (destination, body, headers) => client.send(destination, headers, body);
    return new Session(socket, client, send).open({ login, passcode });
  };
}

/** webstomp-client: `send(destination, body, headers)`; its version is the sub-protocol echoed. */
export function webstompAdapter(webstomp, options = {}) {
  return (broker, { login = 'guest', passcode = 'guest', beats = 0, version } = {}) => {
    const protocols = version ? [protocolOf(version)] : ['v10.stomp', 'v11.stomp', 'v12.stomp'];
    const socket = new WebSocket(broker.ws, protocols);
    const heartbeat = { outgoing: beats, incoming: beats };
    const client = webstomp.over(socket, { protocols, heartbeat, ...options });
    const send = (destination, body, headers) => client.send(destination, body, headers);
    return new Session(socket, client, send).open({ login, passcode });
  };
}
