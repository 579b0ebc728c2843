// Real parsers of real clients, fed with messages as from a WebSocket; and models of readers that have no
// package here, written after what is known of them. Each takes a list of messages (string or Buffer, as
// text or binary) and returns the frames it understood as {command, headers, body}.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import stomp233 from 'stompjs';
import stompWebSocket from 'stomp-websocket';
import webstomp from 'webstomp-client';
import { loadStompjs } from './adapter_stompjs.mjs';
import { bounded, deferred } from './waiting.mjs';

/** A socket that hears what it is told. */
class FakeSocket {
  readyState = 0;
  url = 'ws://fake/ws';
  protocol = '';

  open() {
    this.readyState = 1;
    this.onopen();
  }

  send() {}

  close() {}

  tell(message) {
    const isText = typeof message === 'string';
    this.onmessage({ data: isText ? message : new Uint8Array(message).buffer });
  }
}

function withSocket(socket, messages, frames) {
  for (const message of messages) socket.tell(message);
  return frames.map(({ command, headers, body }) => ({ command, headers, body }));
}

const oldClient = (make) => (messages) => {
  const frames = [];
  const collect = (frame) => frame?.command && frames.push(frame);
  const socket = new FakeSocket();
  const client = make(socket);
  Object.assign(client, { debug() {}, onreceive: collect, onreceipt: collect });
  client.connect({}, collect, collect);
  socket.open();
  try {
    return withSocket(socket, messages, frames);
  } finally {
    client._cleanUp();
  }
};

const newClient = (stompjs, options = {}) => async (messages) => {
  const frames = [];
  const collect = (frame) => frames.push(frame);
  const socket = new FakeSocket();
  const wanted = deferred();
  const client = new stompjs.Client({
    webSocketFactory: () => {
      setImmediate(wanted.resolve);
      return socket;
    },
    onConnect: collect,
    onUnhandledMessage: collect,
    onUnhandledReceipt: collect,
    onStompError: collect,
    reconnectDelay: 0,
    heartbeatIncoming: 0,
    heartbeatOutgoing: 0,
    ...options,
  });
  client.activate();
  await bounded(wanted.promise, 'the wish for a socket');
  socket.open();
  return withSocket(socket, messages, frames);
};

const script = (name) => fileURLToPath(new URL(`../languages/${name}`, import.meta.url));

/** A program that reads base64 pieces, one a line, and writes frames as a JSON list. */
const program = (command, ...args) => (messages) => {
  const input = messages.map((message) => Buffer.from(message).toString('base64')).join('\n');
  const { status, stdout, stderr } = spawnSync(command, args, { input, encoding: 'utf8', maxBuffer: 1 << 26, timeout: 20_000 });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
};

const untilNul = (message) => (typeof message === 'string' ? message.split('\0', 1)[0] : message);

const stompjs7 = await loadStompjs('stompjs7');
const reactNative = newClient(stompjs7, { appendMissingNULLonIncoming: true });

/** By name: what is run. */
export const parsers = {
  'stompjs 2.3.3': oldClient((socket) => stomp233.over(socket)),
  'stomp-websocket': oldClient((socket) => stompWebSocket.over(socket)),
  'webstomp-client': oldClient((socket) => webstomp.over(socket, { debug: false, heartbeat: false })),
  'stompjs 5': newClient(await loadStompjs('stompjs5')),
  'stompjs 6': newClient(await loadStompjs('stompjs6')),
  'stompjs 7': newClient(stompjs7),
  'React Native': (messages) => reactNative(messages.map(untilNul)),
  'stomp.py': program('/usr/bin/python3', script('parse_stomp_py.py')),
  'Net::Stomp': program('perl', script('parse_net_stomp.pl')),
};

const asText = (message) => message.toString();
const isBeat = (text) => text === '\n' || text === '\r\n';

/** StompProtocolAndroid 1.6.6: each header line must match a pattern without blanks and further colons. */
function android(message) {
  const text = asText(message).replace(/^\n/, '');
  if (text.trim() === '') return [];
  const lines = text.split('\n');
  const command = lines[0];
  const headers = {};
  let at = 1;
  for (; at < lines.length; ++at) {
    const match = /^([^:\s]+)\s*:\s*([^:\s]+)$/.exec(lines[at]);
    if (!match) break;
    headers[match[1]] ??= match[2];
  }
  if (lines[at] !== '') throw new Error(`no header: ${JSON.stringify(lines[at])}`);
  return [{ command, headers, body: lines.slice(at + 1).join('\n').split('\0', 1)[0] }];
}

/** SwiftStomp 1.2.1: text only; a header has two parts; the NUL goes if it is the last character. */
function swift(message) {
  if (typeof message !== 'string' || isBeat(message)) return [];
  const lines = message.split('\n');
  const command = lines.shift();
  const headers = {};
  for (const line of lines) {
    const parts = line.split(':');
    if (parts.length !== 2) break;
    headers[parts[0]] = parts[1];
  }
  if (command === 'ERROR' && headers.message === undefined) return [];
  const body = message.slice(message.indexOf('\n\n') + 2).replace(/\0$/, '');
  return [{ command, headers, body }];
}

/** StompClientLib 1.4.1: lines again; those of the body are joined without their ends. */
function stompClientLib(message) {
  const text = asText(message);
  if (isBeat(text)) return [];
  const [command, ...lines] = text.split('\n');
  const end = lines.indexOf('');
  const headers = {};
  for (const line of lines.slice(0, end)) {
    const colon = line.indexOf(':');
    headers[line.slice(0, colon)] = line.slice(colon + 1);
  }
  return [{ command, headers, body: lines.slice(end + 1).join('').replace(/\0$/, '') }];
}

/** Krossbow 9.3.0: one frame to a message, or the end; CONNECTED and MESSAGE with all that they need. */
function krossbow(message) {
  const text = asText(message);
  if (isBeat(text)) return [];
  const [head] = text.split('\n\n', 1);
  const [command, ...lines] = head.split(/\r?\n/);
  const headers = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    if (colon < 0) throw new Error(`no header: ${line}`);
    headers[line.slice(0, colon)] ??= line.slice(colon + 1);
  }
  const required = { MESSAGE: ['subscription', 'message-id', 'destination'], RECEIPT: ['receipt-id'], CONNECTED: [] };
  for (const name of required[command] ?? []) if (headers[name] === undefined) throw new Error(`no ${name}`);
  if (!/^[A-Z]+$/.test(command)) throw new Error(`no command: ${command}`);
  if (command === 'CONNECTED') checkConnected(headers);
  const octets = Buffer.from(text.slice(head.length + 2));
  const length = Number(headers['content-length'] ?? octets.indexOf(0));
  if (octets.length !== length + 1 || octets[length] !== 0) throw new Error('more or less than a frame');
  return [{ command, headers, body: octets.subarray(0, length).toString() }];
}

function checkConnected(headers) {
  if (!/^\d+,\d+$/.test(headers['heart-beat'] ?? '0,0')) throw new Error('heart-beat with blanks');
  if (!/^[^/]+(\/\S+)?$/.test(headers.server ?? 'none')) throw new Error('server is no name/version');
}

/** stomp_dart_client 2.1.3: any framing; of a header given twice the last counts. */
function dart(messages) {
  const frames = [];
  let rest = Buffer.concat(messages.map((message) => Buffer.from(message)));
  for (;;) {
    while (rest[0] === 10 || rest[0] === 13) rest = rest.subarray(1);
    const head = rest.indexOf('\n\n');
    if (head < 0) return frames;
    const [command, ...lines] = rest.subarray(0, head).toString().split('\n');
    const headers = {};
    for (const line of lines) {
      const colon = line.indexOf(':');
      headers[line.slice(0, colon)] = line.slice(colon + 1);
    }
    const end = headers['content-length'] === undefined ? rest.indexOf(0, head) : head + 2 + Number(headers['content-length']);
    frames.push({ command, headers, body: rest.subarray(head + 2, end).toString() });
    rest = rest.subarray(end + 1);
  }
}

const eachMessage = (read) => (messages) => messages.flatMap(read);

/** By name: what is modelled. */
export const models = {
  StompProtocolAndroid: eachMessage(android),
  SwiftStomp: eachMessage(swift),
  StompClientLib: eachMessage(stompClientLib),
  Krossbow: eachMessage(krossbow),
  stomp_dart_client: dart,
};
