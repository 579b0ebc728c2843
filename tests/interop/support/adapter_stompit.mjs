// stompit, the client of Node servers over TCP, behind the interface of support/common_script.mjs.
// Its bodies are streams, and only SEND and what follows it can ask for a receipt.
import stompit from 'stompit';
import { Counter, Inbox, bounded, deferred } from './waiting.mjs';

class Message {
  constructor(client, frame, bytes) {
    this.client = client;
    this.frame = frame;
    this.headers = Object.fromEntries(Object.entries(frame.headers).map(([name, value]) => [name, String(value)]));
    this.bytes = bytes;
  }

  get body() {
    return this.bytes.toString();
  }

  ack(headers) {
    this.client.ack(this.frame, headers);
  }

  nack(headers) {
    this.client.nack(this.frame, headers);
  }
}

class Session {
  beats = new Counter();
  #client;
  #lost = deferred();

  constructor(client) {
    this.#client = client;
    this.connected = client.headers;
    client.on('error', (error) => this.#lost.reject(error));
    const transport = client.getTransportSocket();
    transport.on('data', (chunk) => String(chunk) === '\n' && this.beats.count('received'));
    const write = transport.write.bind(transport);
    transport.write = (chunk, ...rest) => {
      if (chunk === '\n') this.beats.count('sent');
      return write(chunk, ...rest);
    };
  }

  async subscribe(destination, headers = {}) {
    const inbox = new Inbox(`MESSAGE on ${destination}`);
    const subscription = this.#client.subscribe({ ...headers, destination }, (error, frame) => {
      if (error) return inbox.fail(error);
      const chunks = [];
      frame.on('data', (chunk) => chunks.push(chunk));
      frame.on('end', () => inbox.push(new Message(this.#client, frame, Buffer.concat(chunks))));
    });
    await this.sendAndWait('/fence/here', '');
    inbox.id = subscription.getId();
    inbox.unsubscribe = async () => {
      subscription.unsubscribe();
      await this.sendAndWait('/fence/here', '');
    };
    return inbox;
  }

  send(destination, body, headers = {}, options = undefined) {
    const length = { 'content-length': Buffer.byteLength(body) };
    this.#client.send({ ...headers, destination, ...length }, options).end(Buffer.from(body));
  }

  async sendAndWait(destination, body, headers = {}) {
    const done = deferred();
    this.send(destination, body, headers, { onReceipt: done.resolve });
    await bounded(Promise.race([done.promise, this.#lost.promise]), 'RECEIPT');
  }

  begin() {
    return this.#client.begin();
  }

  async disconnect() {
    const done = deferred();
    this.#client.disconnect((error) => (error ? done.reject(error) : done.resolve()));
    return bounded(done.promise, 'RECEIPT of DISCONNECT');
  }

  kill() {
    this.#client.getTransportSocket().destroy();
  }

  async lost() {
    return bounded(this.#lost.promise.catch((error) => error), 'the end of the connection');
  }
}

// stompit 1.0.0 destroys the frame instead of itself when an ERROR has a text: without a listener on
// the frame, that ends the process.
function surviveErrors(client) {
  const set = client.setCommandHandlers.bind(client);
  client.setCommandHandlers = (handlers) =>
    set({
      ...handlers,
      ERROR(frame, ...rest) {
        frame.on('error', (error) => client.destroy(error));
        handlers.ERROR.call(client, frame, ...rest);
      },
    });
}

/** Opens sessions over TCP, over TLS where the broker's listener speaks it. */
export function stompitAdapter(broker, { login = 'guest', passcode = 'guest', beats = 0, version = '1.0,1.1,1.2' } = {}) {
  const connected = deferred();
  const connectHeaders = { host: '/', login, passcode, 'heart-beat': `${beats},${beats}`, 'accept-version': version };
  const tls = broker.tcpUrl.startsWith('stomps:') ? { ssl: true, rejectUnauthorized: false } : {};
  const client = stompit.connect({ ...broker.tcp, ...tls, connectHeaders }, (error) => {
    if (error) connected.reject(Object.assign(error, { body: error.longMessage }));
    else connected.resolve(new Session(client));
  });
  surviveErrors(client);
  return bounded(connected.promise, 'CONNECTED');
}
