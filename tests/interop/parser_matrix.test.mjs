// Parsers of clients against what the broker writes, and against what it must never write.
// The second half shows that the first could fail: a row that breaks a client must be seen to break it.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startBroker } from './support/broker.mjs';
import { capture, isBeat } from './support/capture.mjs';
import { models, parsers } from './support/parsers.mjs';
import { frame, parseFrame } from './support/raw_client.mjs';

const limit = { timeout: 60_000 };

const toSocket = ({ data, isBinary }) => (isBinary ? data : data.toString());

// --- What the broker writes. ---------------------------------------------------------------------------------

for (const version of ['1.2', '1.1', '1.0']) {
  test(`P_WS_11 P_WS_12 P_WS_13 P_WS_14 P_FRAME_16 P_CONN_09 P_MSG_02 each message is a beat or one plain frame, in ${version}`, limit, async (t) => {
    const { messages } = await capture(t, await startBroker(t), version, { binary: true, nul: true });
    for (const { data, isBinary } of messages) {
      if (isBeat({ data })) {
        assert.equal(isBinary, false);
        continue;
      }
      const { headers, body } = parseFrame(data);
      assert.ok(!data.subarray(0, data.length - body.length).includes('\r'), 'lines end with LF alone');
      assert.equal(isBinary, !isText(data), 'text if and only if it is UTF-8');
      for (const value of Object.values(headers)) assert.match(value, /^[!-9;-~]+$/);
    }
  });
}

function isText(octets) {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(octets);
    return true;
  } catch {
    return false;
  }
}

for (const version of ['1.2', '1.1', '1.0']) {
  test(`P_WS_11 P_WS_12 P_WS_14 P_CONN_08 the broker's octets in ${version} through parsers`, limit, async (t) => {
    const { messages, frames } = await capture(t, await startBroker(t), version);
    for (const [name, parse] of Object.entries({ ...parsers, ...models })) {
      await t.test(`${name}, ${version}`, async () => understands(name, await parse(messages.map(toSocket)), frames));
    }
  });
}

function understands(name, understood, frames) {
  const commands = (list) => list.map(({ command }) => command);
  assert.deepEqual(commands(understood), commands(frames));
  frames.forEach(({ headers, body }, i) => {
    const expected = bodyFor(name, body.toString());
    assert.ok(understood[i].body === expected, `body ${i}: ${understood[i].body.length} for ${expected.length}`);
    assert.deepEqual({ ...understood[i].headers }, headers);
  });
}

/** StompClientLib loses line ends in bodies, whoever sends them. */
const bodyFor = (name, body) => (name === 'StompClientLib' ? body.replaceAll('\n', '') : body);

// --- What it must never write. -------------------------------------------------------------------------------

const message = (body, headers = {}, length = Buffer.byteLength(body)) =>
  frame('MESSAGE', { subscription: 's', 'message-id': '1', destination: '/topic/a', ...headers, 'content-length': length }, body);

const text = (body, headers, length) => message(body, headers, length).toString();

const connected = frame('CONNECTED', { version: '1.1', server: 'a/1', session: 's', 'heart-beat': '0,0' }).toString();

const crlf = (octets) => {
  const [head, ...rest] = octets.split('\n\n');
  return [head.replaceAll('\n', '\r\n'), ...rest].join('\r\n\r\n');
};

const large = 'x'.repeat(300_000);
const split = text('in two');

/** Each: messages after CONNECTED, and the bodies in them. A last message shows whether later ones are lost. */
const rows = {
  'one frame per message': { input: [text('one'), text('two')], bodies: ['one', 'two'] },
  'two frames in a message': { input: [text('one') + text('two')], bodies: ['one', 'two'] },
  'LF between two frames': { input: [`${text('one')}\n${text('two')}`], bodies: ['one', 'two'] },
  'LF after the frame': { input: [`${text('one')}\n`], bodies: ['one'] },
  'split in the body': { input: [split.slice(0, -4), split.slice(-4)], bodies: ['in two'] },
  'split in the headers': { input: [split.slice(0, 20), split.slice(20)], bodies: ['in two'] },
  'NUL in a message of its own': { input: [split.slice(0, -1), '\0'], bodies: ['in two'] },
  'binary, UTF-8': { input: [message('Ω')], bodies: ['Ω'] },
  'binary, 300 KB': { input: [message(large)], bodies: [large] },
  'a beat, LF': { input: ['\n', text('one')], bodies: ['one'] },
  'a beat, CR LF': { input: ['\r\n', text('one')], bodies: ['one'] },
  'LF before the command': { input: [`\n${text('one')}`], bodies: ['one'] },
  'CR LF in the headers': { input: [crlf(text('one'))], bodies: ['one'] },
  'NUL in the body': { input: [text('a\0b')], bodies: ['a\0b'] },
  'content-length of multi-byte text': { input: [text('Ω\u{1F418}')], bodies: ['Ω\u{1F418}'] },
  'value with a blank': { input: [text('one', { 'x-a': 'a b' })], bodies: ['one'] },
  'value with a colon': { input: [text('one', { 'x-a': 'a:b' })], bodies: ['one'] },
  'value that is empty': { input: [text('one', { 'x-a': '' })], bodies: ['one'] },
};

/** Rows that break a reader. All others it must take. */
const breaking = {
  'stompjs 2.3.3': [
    'split in the body', 'split in the headers', 'binary, UTF-8', 'LF before the command', 'CR LF in the headers',
    'NUL in the body',
  ],
  'stomp-websocket': [
    'binary, UTF-8', 'a beat, CR LF', 'LF before the command', 'CR LF in the headers', 'NUL in the body',
  ],
  'webstomp-client': [
    'binary, 300 KB', 'a beat, CR LF', 'LF before the command', 'CR LF in the headers', 'NUL in the body',
  ],
  'stompjs 5': [],
  'stompjs 6': [],
  'stompjs 7': [],
  'React Native': [
    'two frames in a message', 'LF between two frames', 'split in the body', 'split in the headers',
    'NUL in the body',
  ],
  'stomp.py': [],
  'Net::Stomp': ['a beat, CR LF', 'CR LF in the headers'],
  StompProtocolAndroid: [
    'two frames in a message', 'LF between two frames', 'split in the body', 'split in the headers',
    'NUL in a message of its own', 'CR LF in the headers', 'NUL in the body', 'value with a blank',
    'value with a colon', 'value that is empty',
  ],
  SwiftStomp: [
    'two frames in a message', 'LF between two frames', 'LF after the frame', 'split in the body',
    'split in the headers', 'binary, UTF-8', 'binary, 300 KB', 'LF before the command', 'CR LF in the headers',
    'value with a colon',
  ],
  StompClientLib: [
    'two frames in a message', 'LF between two frames', 'split in the body', 'split in the headers',
    'LF before the command', 'CR LF in the headers',
  ],
  Krossbow: [
    'two frames in a message', 'LF between two frames', 'LF after the frame', 'split in the body',
    'split in the headers', 'NUL in a message of its own', 'LF before the command', 'CR LF in the headers',
  ],
  stomp_dart_client: ['CR LF in the headers'],
};

async function survives(parse, { input, bodies }) {
  try {
    const frames = await parse([connected, ...input, text('last')]);
    const found = frames.filter(({ command }) => command === 'MESSAGE');
    const expected = [...bodies, 'last'];
    const isWhole = ({ body, headers }, i) => body === expected[i] && headers.subscription && headers['content-length'];
    return found.length === expected.length && found.every(isWhole);
  } catch {
    return false;
  }
}

describe('negative controls: what breaks', () => {
  for (const [name, parse] of Object.entries({ ...parsers, ...models })) {
    test(name, limit, async () => {
      const broken = [];
      for (const [title, row] of Object.entries(rows)) if (!(await survives(parse, row))) broken.push(title);
      assert.deepEqual(broken, breaking[name]);
    });
  }

  test('P_CONN_08 CONNECTED without heart-beat breaks stompjs 2.3.3 and stomp-websocket', limit, async () => {
    const bare = frame('CONNECTED', { version: '1.1', session: 's' }).toString();
    for (const name of ['stompjs 2.3.3', 'stomp-websocket']) assert.throws(() => parsers[name]([bare]), name);
    for (const name of ['webstomp-client', 'stompjs 7']) assert.equal((await parsers[name]([bare])).length, 1, name);
  });

  test('P_FRAME_19 of a header given twice Dart takes the last', limit, () => {
    const twice = frame('MESSAGE', [['destination', '/topic/a'], ['destination', '/topic/b']], '').toString();
    assert.equal(models.stomp_dart_client([twice])[0].headers.destination, '/topic/b');
  });

  test('P_ERR_03 SwiftStomp passes over an ERROR without message', limit, () => {
    assert.deepEqual(models.SwiftStomp([frame('ERROR', {}, 'lost').toString()]), []);
  });
});
