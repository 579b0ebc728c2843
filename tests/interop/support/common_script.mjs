// The script that every client of JavaScript goes through, whatever its interface.
// An adapter opens sessions; `can` says what its client is able to do. Titles name the rules proved.
//
// open(broker, {login, passcode, beats, version}) -> session:
//   connected                                  headers of CONNECTED
//   subscribe(destination, headers) -> Inbox   after the RECEIPT; with id and unsubscribe()
//   send, sendAndWait(destination, body, headers)
//   begin() -> {id, commit(), abort()}
//   disconnect(), kill(), lost()
//   beats                                      Counter of "received" and "sent"
// A message: headers, body, bytes (where can.binary), ack(headers), nack(headers).
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { startBroker } from './broker.mjs';

const limit = { timeout: 60_000 };
const euro = 'Grüße, 世界, Ω, \u{1F418}';

/** 1.2 first; what a client does by default. */
const everything = {
  versions: ['1.2', '1.1'],
  headers: { colon: 'a:b:c', backslash: 'back\\slash', newline: 'two\nlines', return: 'cr\rcr', empty: '', blank: 'a b' },
  binary: true,
  nul: true,
  largest: 1023 * 1024,
  splitsSurrogates: false,
};

/** Registers the tests of `client`. */
export function commonScript(client, open, abilities = {}) {
  const can = { ...everything, ...abilities };
  const script = new Script(open, can);
  describe(client, { concurrency: 2 }, () => {
    for (const [title, run, applies = true] of script.tests()) {
      if (applies) test(`${client}: ${title}`, limit, async (t) => run(await script.prepare(t)));
    }
  });
}

class Script {
  #open;
  #can;

  constructor(open, can) {
    this.#open = open;
    this.#can = can;
  }

  tests() {
    const can = this.#can;
    return [
      ['P_HB_02 P_HB_03 P_HB_04 beats of 1000 both ways', beats],
      ...can.versions.map((version) => [
        `P_VER_01 P_CONN_08 connects in ${version}`,
        (room) => connects(room, version),
      ]),
      ['P_CONN_07 a wrong passcode is refused auth-failed', refusesPasscode],
      ['P_SUB_04 P_FRAME_12 P_WS_12 bodies arrive as sent', (room) => bodies(room, can)],
      ['P_FRAME_12 bodies with NUL arrive as sent', nulBodies, can.nul],
      ['P_WS_12 P_FRAME_14 bodies of any octets arrive as sent', binaryBodies, can.binary],
      ['P_FRAME_17 P_SEND_05 headers arrive as sent', (room) => headers(room, can)],
      ['P_SEND_02 a hundred messages arrive in order', ordered],
      ['P_DEST_01 a topic gives every subscriber its copy', topic],
      ['P_DEST_01 P_SUB_09 consumers of a queue compete', competing],
      ['P_ACK_04 ack:client settles what came before', cumulative],
      ['P_ACK_05 ack:client-individual settles one', individual],
      ['P_ACK_06 NACK brings the message again, counted', nack],
      ['P_ACK_06 P_ACK_11 NACK without requeue makes a dead letter', deadLetter],
      ['P_ACK_08 a lost connection gives its deliveries back', redelivery],
      ['P_TX_02 P_TX_04 COMMIT publishes all, nothing before', commit],
      ['P_TX_05 ABORT publishes nothing', abort],
      ['P_TX_03 P_TX_05 acknowledgements are part of a transaction', transactedAck],
      ['P_SUB_06 nothing comes after UNSUBSCRIBE', unsubscribe],
      ['P_TEMP_02 a request is answered through a temporary queue', request],
      ['P_RCPT_05 DISCONNECT flushes what was sent', disconnect],
      ['P_CONN_01 twenty connections in a row', reconnects],
    ];
  }

  /** A broker and a way to open sessions on it that end with the test. */
  async prepare(t) {
    const sessions = [];
    t.after(() => sessions.forEach((session) => session.kill()));
    const broker = await startBroker(t);
    const join = async (options) => {
      const session = await this.#open(broker, options);
      sessions.push(session);
      return session;
    };
    return { broker, join };
  }
}

async function connects({ join }, version) {
  const { connected } = await join({ version });
  assert.equal(connected.version, version);
  assert.match(connected.session, /^[0-9a-f]{32}$/);
  assert.match(connected.server, /^stampede\/\S+$/);
  assert.match(connected['heart-beat'], /^\d+,\d+$/);
  assert.equal(connected['user-name'], 'guest');
}

async function refusesPasscode({ join }) {
  await assert.rejects(join({ passcode: 'wrong' }), (error) => {
    assert.equal(error.message, 'auth-failed');
    assert.match(error.body, /\S+ .+\n.+/s, 'a cause and a remedy');
    return true;
  });
}

async function echo(session, inbox, destination, body, headers) {
  session.send(destination, body, headers);
  return inbox.next(`a body of ${body.length}`);
}

async function bodies({ join }, can) {
  const session = await join();
  const inbox = await session.subscribe('/topic/bodies');
  const sizes = [1024, 70_000, 300_000, can.largest].filter((size) => size <= can.largest);
  const long = (can.splitsSurrogates ? euro.replace('\u{1F418}', '!') : euro).repeat(1000);
  const texts = ['hello', euro, '', '\n', ' ', ...sizes.map((size) => 'x'.repeat(size)), long];
  for (const text of texts) {
    const message = await echo(session, inbox, '/topic/bodies', text);
    assert.ok(message.body === text, `${text.length} characters came as ${message.body.length}`);
    assert.equal(message.headers['content-length'], String(Buffer.byteLength(text)));
    assert.equal(message.headers.destination, '/topic/bodies');
  }
}

async function nulBodies({ join }) {
  const session = await join();
  const inbox = await session.subscribe('/topic/nul');
  for (const text of ['\0', 'a\0b', '\0\0end\0', `\n\n\0MESSAGE\n\n\0`]) {
    assert.equal((await echo(session, inbox, '/topic/nul', text)).body, text);
  }
}

async function binaryBodies({ join }) {
  const session = await join();
  const inbox = await session.subscribe('/topic/binary');
  const all = Buffer.from(Array.from({ length: 256 }, (_, i) => i));
  for (const bytes of [all, Buffer.from([0xff]), Buffer.from(euro), randomBytes(500_000), randomBytes(1000 * 1024)]) {
    const message = await echo(session, inbox, '/topic/binary', bytes, { 'content-type': 'application/octet-stream' });
    assert.ok(message.bytes.equals(bytes), `${bytes.length} octets came as ${message.bytes.length}`);
  }
}

async function headers({ join }, can) {
  const session = await join();
  const inbox = await session.subscribe('/topic/headers');
  const sent = Object.fromEntries(Object.entries(can.headers).map(([name, value]) => [`x-${name}`, value]));
  sent['x-unicode'] = euro;
  sent['content-type'] = 'text/plain;charset=utf-8';
  const message = await echo(session, inbox, '/topic/headers', 'body', sent);
  for (const [name, value] of Object.entries(sent)) assert.equal(message.headers[name], value, name);
}

async function ordered({ join }) {
  const session = await join();
  const inbox = await session.subscribe('/queue/ordered');
  const sent = Array.from({ length: 100 }, (_, i) => `number ${i}`);
  sent.forEach((body) => session.send('/queue/ordered', body));
  assert.deepEqual((await inbox.take(100)).map((message) => message.body), sent);
}

async function topic({ join }) {
  const [publisher, one, two] = [await join(), await join(), await join()];
  const inboxes = [
    await one.subscribe('/topic/news.europe'),
    await two.subscribe('/topic/news.*'),
    await two.subscribe('/topic/#'),
  ];
  publisher.send('/topic/news.europe', 'to all');
  for (const inbox of inboxes) assert.equal((await inbox.next()).body, 'to all');
}

async function competing({ join }) {
  const [publisher, one, two] = [await join(), await join(), await join()];
  const inboxes = [await one.subscribe('/queue/work'), await two.subscribe('/queue/work')];
  for (let i = 0; i < 10; ++i) publisher.send('/queue/work', String(i));
  const shares = await Promise.all(inboxes.map((inbox) => inbox.take(5)));
  const bodies = shares.flat().map((message) => Number(message.body));
  assert.deepEqual(bodies.sort((a, b) => a - b), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
}

/** Three messages to a consumer in `ack` mode; `settle` does what it does; returns what comes to the next consumer. */
async function leftOver({ join }, ack, settle) {
  const consumer = await join();
  const inbox = await consumer.subscribe('/queue/left', { ack });
  for (const body of ['first', 'second', 'third']) consumer.send('/queue/left', body);
  await settle(await inbox.take(3));
  await consumer.disconnect();
  const heir = await join();
  const left = await heir.subscribe('/queue/left');
  heir.send('/queue/left', 'end');
  const found = [];
  for (;;) {
    const message = await left.next();
    if (message.body === 'end') return found;
    assert.equal(message.headers.redelivered, 'true');
    found.push(message.body);
  }
}

async function cumulative(room) {
  const left = await leftOver(room, 'client', ([, second]) => second.ack());
  assert.deepEqual(left, ['third']);
}

async function individual(room) {
  const left = await leftOver(room, 'client-individual', ([, second]) => second.ack());
  assert.deepEqual(left, ['first', 'third']);
}

async function nack({ join }) {
  const session = await join();
  const inbox = await session.subscribe('/queue/nack', { ack: 'client-individual' });
  session.send('/queue/nack', 'again');
  const once = await inbox.next();
  assert.equal(once.headers.redelivered, undefined);
  once.nack();
  const twice = await inbox.next();
  assert.equal(twice.body, 'again');
  assert.equal(twice.headers.redelivered, 'true');
  assert.equal(twice.headers['x-delivery-count'], '2');
  assert.notEqual(twice.headers['message-id'], once.headers['message-id']);
  twice.ack();
}

async function deadLetter({ join }) {
  const session = await join();
  const inbox = await session.subscribe('/queue/poison', { ack: 'client-individual' });
  const dead = await session.subscribe('/queue/DLQ.poison');
  session.send('/queue/poison', 'bad');
  (await inbox.next()).nack({ requeue: 'false' });
  const message = await dead.next();
  assert.equal(message.body, 'bad');
  assert.equal(message.headers['x-death-reason'], 'rejected');
  assert.equal(message.headers.destination, '/queue/poison');
}

async function redelivery({ join }) {
  const [doomed, heir] = [await join(), await join()];
  const inbox = await doomed.subscribe('/queue/heirloom', { ack: 'client' });
  for (const body of ['one', 'two']) doomed.send('/queue/heirloom', body);
  await inbox.take(2);
  const inherited = await heir.subscribe('/queue/heirloom', { ack: 'client-individual' });
  doomed.kill();
  const messages = await inherited.take(2);
  assert.deepEqual(messages.map((message) => message.body), ['one', 'two']);
  for (const message of messages) assert.equal(message.headers.redelivered, 'true');
}

async function commit({ join }) {
  const session = await join();
  const inbox = await session.subscribe('/queue/commit');
  const transaction = session.begin();
  session.send('/queue/commit', 'inside 1', { transaction: transaction.id });
  session.send('/queue/commit', 'inside 2', { transaction: transaction.id });
  session.send('/queue/commit', 'outside');
  assert.equal((await inbox.next()).body, 'outside');
  transaction.commit();
  assert.deepEqual((await inbox.take(2)).map((message) => message.body), ['inside 1', 'inside 2']);
}

async function abort({ join }) {
  const session = await join();
  const inbox = await session.subscribe('/queue/abort');
  const transaction = session.begin();
  session.send('/queue/abort', 'never', { transaction: transaction.id });
  transaction.abort();
  session.send('/queue/abort', 'after');
  assert.equal((await inbox.next()).body, 'after');
  assert.equal(inbox.size, 0);
}

async function transactedAck(room) {
  const { join } = room;
  const consumer = await join();
  const inbox = await consumer.subscribe('/queue/transacted', { ack: 'client-individual' });
  for (const body of ['kept', 'done']) consumer.send('/queue/transacted', body);
  const [kept, done] = await inbox.take(2);
  const [aborted, committed] = [consumer.begin(), consumer.begin()];
  kept.ack({ transaction: aborted.id });
  done.ack({ transaction: committed.id });
  aborted.abort();
  committed.commit();
  await consumer.disconnect();
  const heir = await join();
  const left = await heir.subscribe('/queue/transacted');
  heir.send('/queue/transacted', 'end');
  assert.deepEqual((await left.take(2)).map((message) => message.body), ['kept', 'end']);
}

async function unsubscribe({ join }) {
  const session = await join();
  const inbox = await session.subscribe('/topic/silence');
  const other = await session.subscribe('/topic/silence');
  session.send('/topic/silence', 'heard');
  await inbox.next();
  await inbox.unsubscribe();
  session.send('/topic/silence', 'unheard');
  assert.deepEqual((await other.take(2)).map((message) => message.body), ['heard', 'unheard']);
  assert.equal(inbox.size, 0);
}

async function request({ join }) {
  const [client, service] = [await join(), await join()];
  const requests = await service.subscribe('/queue/service');
  const answers = await client.subscribe('/temp-queue/answers', { id: '/temp-queue/answers' });
  client.send('/queue/service', 'how much?', { 'reply-to': '/temp-queue/answers', 'correlation-id': '7' });
  const { headers } = await requests.next();
  assert.match(headers['reply-to'], /^\/reply-queue\//);
  service.send(headers['reply-to'], 'that much', { 'correlation-id': headers['correlation-id'] });
  const answer = await answers.next();
  assert.equal(answer.body, 'that much');
  assert.equal(answer.headers['correlation-id'], '7');
}

async function beats({ join }) {
  const begin = process.hrtime.bigint();
  const session = await join({ beats: 1000 });
  assert.equal(session.connected['heart-beat'], '1000,1000');
  // A client that owed beats and sent none would be dead after 2.25 s, on either side.
  await Promise.all([session.beats.reaches('received', 4), session.beats.reaches('sent', 3)]);
  assert.ok(process.hrtime.bigint() - begin > 2_000_000_000n);
  const inbox = await session.subscribe('/topic/alive');
  session.send('/topic/alive', 'still here');
  assert.equal((await inbox.next()).body, 'still here');
}

async function disconnect({ join }) {
  const [leaving, staying] = [await join(), await join()];
  const inbox = await staying.subscribe('/queue/farewell');
  for (let i = 0; i < 50; ++i) leaving.send('/queue/farewell', String(i));
  await leaving.disconnect();
  assert.equal((await inbox.take(50)).at(-1).body, '49');
}

async function reconnects({ join }) {
  const seen = new Set();
  for (let i = 0; i < 20; ++i) {
    const session = await join();
    seen.add(session.connected.session);
    await session.disconnect();
  }
  assert.equal(seen.size, 20);
}
