// The wire itself: WebSocket messages and TCP octets as the broker sends them, and a strict reader of frames.
// The reader takes exactly what STOMP 1.2 writes and throws at everything else; it mends nothing.
import net from 'node:net';
import WebSocket from 'ws';
import { Inbox, next } from './waiting.mjs';

/** A frame as octets, for sending. `headers` is an object or a list of pairs; nothing is escaped. */
export function frame(command, headers = {}, body = '') {
  const pairs = Array.isArray(headers) ? headers : Object.entries(headers);
  const head = [command, ...pairs.map(([name, value]) => `${name}:${value}`)].join('\n');
  return Buffer.concat([Buffer.from(`${head}\n\n`), Buffer.from(body), Buffer.from('\0')]);
}

export const connectFrame = (headers = {}) =>
  frame('CONNECT', { 'accept-version': '1.0,1.1,1.2', host: '/', login: 'guest', passcode: 'guest', ...headers });

/** One frame from `octets`, which must hold it and nothing else. Escapes are left as they are. */
export function parseFrame(octets) {
  const head = octets.indexOf('\n\n');
  if (head < 0) throw new Error(`no end of headers in ${JSON.stringify(octets.toString('latin1').slice(0, 200))}`);
  const [command, ...lines] = octets.subarray(0, head).toString().split('\n');
  const pairs = lines.map((line) => {
    const colon = line.indexOf(':');
    if (colon < 1) throw new Error(`not a header: ${JSON.stringify(line)}`);
    return [line.slice(0, colon), line.slice(colon + 1)];
  });
  const headers = Object.fromEntries(pairs);
  if (pairs.length !== Object.keys(headers).length) throw new Error('a header twice');
  const body = octets.subarray(head + 2, -1);
  if (octets.at(-1) !== 0) throw new Error('no NUL at the end');
  const length = headers['content-length'];
  if (length === undefined ? body.includes(0) : Number(length) !== body.length) throw new Error('wrong length');
  return { command, headers, pairs, body };
}

/** A WebSocket whose messages come out as {data: Buffer, isBinary}, in order. */
export async function openWebSocket(broker, protocols = ['v12.stomp'], options = {}) {
  const socket = new WebSocket(broker.ws, protocols, options);
  const messages = new Inbox('WebSocket message');
  socket.on('message', (data, isBinary) => messages.push({ data: Buffer.from(data), isBinary }));
  await next(socket, 'open');
  return { socket, messages };
}

/** A TCP connection whose frames come out parsed; beats between them are counted. */
export class TcpClient {
  frames = new Inbox('frame');
  beats = new Inbox('beat');
  #socket;
  #rest = Buffer.alloc(0);

  constructor(socket) {
    this.#socket = socket;
    this.ended = new Promise((resolve) => socket.on('close', resolve));
    socket.on('data', (chunk) => this.#read(chunk));
    socket.on('error', () => {});
  }

  static async open(broker) {
    const socket = net.connect(broker.tcp);
    const client = new TcpClient(socket);
    await next(socket, 'connect');
    return client;
  }

  send(...octets) {
    for (const piece of octets) this.#socket.write(piece);
  }

  close() {
    this.#socket.destroy();
  }

  #read(chunk) {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    for (;;) {
      if (this.#rest[0] === 10) {
        this.#rest = this.#rest.subarray(1);
        this.beats.push('\n');
        continue;
      }
      const size = sizeOfFrame(this.#rest);
      if (size === undefined) return;
      this.frames.push(parseFrame(this.#rest.subarray(0, size)));
      this.#rest = this.#rest.subarray(size);
    }
  }
}

function sizeOfFrame(octets) {
  const head = octets.indexOf('\n\n');
  if (head < 0) return undefined;
  const length = /\ncontent-length:(\d+)/.exec(octets.subarray(0, head).toString());
  const end = length ? head + 2 + Number(length[1]) : octets.indexOf(0, head);
  return end < 0 || end >= octets.length ? undefined : end + 1;
}
