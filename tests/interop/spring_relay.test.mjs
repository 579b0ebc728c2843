// Spring's StompBrokerRelay in front of the broker, replayed over TCP frame by frame: one connection of the
// application server itself, and one for each browser session behind it. Spring is not run.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBroker } from './support/broker.mjs';
import { TcpClient, frame } from './support/raw_client.mjs';
import { bounded } from './support/waiting.mjs';

const limit = { timeout: 60_000 };
const credentials = { login: 'guest', passcode: 'guest' };

async function connect(t, broker, headers) {
  const client = await TcpClient.open(broker);
  t.after(() => client.close());
  client.send(frame('CONNECT', headers));
  const connected = await client.frames.next('CONNECTED');
  assert.equal(connected.command, 'CONNECTED');
  return { client, connected };
}

/** The relay's own session. */
const system = (t, broker) =>
  connect(t, broker, { 'accept-version': '1.1,1.2', ...credentials, 'heart-beat': '10000,10000' });

/** A browser's CONNECT as the relay passes it on. */
const browser = (t, broker, headers = {}) =>
  connect(t, broker, { ...credentials, 'accept-version': '1.2,1.1,1.0', 'heart-beat': '10000,10000', ...headers });

const message = (client) => client.frames.next('MESSAGE');

async function receipt(client, id) {
  const { command, headers } = await client.frames.next(`RECEIPT ${id}`);
  assert.deepEqual([command, headers['receipt-id']], ['RECEIPT', id]);
}

const json = (value) => {
  const body = JSON.stringify(value);
  return [{ 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }, body];
};

function send(client, destination, value, extra = {}) {
  const [headers, body] = json(value);
  client.send(frame('SEND', { destination, ...headers, ...extra }, body));
}

test('Spring relay: P_VER_01 P_HB_02 P_CONN_05 the system session, without host', limit, async (t) => {
  const { connected } = await system(t, await startBroker(t));
  assert.equal(connected.headers.version, '1.2');
  assert.equal(connected.headers['heart-beat'], '10000,10000');
});

test('Spring relay: P_DEST_01 application servers meet in the user registry\'s topic', limit, async (t) => {
  const broker = await startBroker(t);
  const servers = [await system(t, broker), await system(t, broker)].map(({ client }) => client);
  for (const server of servers) {
    server.send(frame('SUBSCRIBE', { destination: '/topic/simp-user-registry', id: '0', ack: 'auto' }));
    server.send(frame('SUBSCRIBE', { destination: '/topic/unresolved-user-destination', id: '1', ack: 'auto' }));
    server.send(frame('SEND', { destination: '/topic/fence', receipt: 'f' }), '\n');
    await receipt(server, 'f');
  }
  send(servers[0], '/topic/simp-user-registry', { users: ['anna'] });
  for (const server of servers) {
    const { headers, body } = await message(server);
    assert.equal(headers.subscription, '0');
    assert.equal(headers.destination, '/topic/simp-user-registry');
    assert.equal(headers['content-type'], 'application/json');
    assert.deepEqual(JSON.parse(body), { users: ['anna'] });
  }
});

test('Spring relay: P_SUB_05 UNSUBSCRIBE of what was never subscribed is no error', limit, async (t) => {
  const { client } = await browser(t, await startBroker(t));
  // From @SubscribeMapping: the SUBSCRIBE stayed with the application, its UNSUBSCRIBE did not.
  client.send(frame('UNSUBSCRIBE', { id: 'sub-7' }), frame('UNSUBSCRIBE', { id: 'sub-8', receipt: 'u' }));
  await receipt(client, 'u');
});

test('Spring relay: P_FRAME_02 frames for the application arrive as single LFs', limit, async (t) => {
  const { client } = await browser(t, await startBroker(t));
  client.send('\n', '\n', frame('SUBSCRIBE', { id: 'sub-0', destination: '/topic/prices' }), '\n', '\n');
  send(client, '/topic/prices', { price: 7 });
  assert.equal((await message(client)).headers.subscription, 'sub-0');
});

test('Spring relay: P_DEST_02 P_SUB_14 a user\'s queue, auto-delete on one side only', limit, async (t) => {
  const broker = await startBroker(t);
  const [{ client: server }, { client: user }] = [await system(t, broker), await browser(t, broker)];
  const destination = '/queue/position-updates-userk3jq2x';
  const subscribe = { id: 'sub-0', destination, 'auto-delete': 'true', 'x-expires': '300000', receipt: 's' };
  user.send(frame('SUBSCRIBE', subscribe));
  await receipt(user, 's');
  send(server, destination, { x: 1 });
  const { headers, body } = await message(user);
  assert.equal(headers.destination, destination);
  assert.deepEqual(JSON.parse(body), { x: 1 });
});

test('Spring relay: P_ACK_02 ACK in 1.1 without subscription', limit, async (t) => {
  const { client } = await browser(t, await startBroker(t), { 'accept-version': '1.1' });
  client.send(frame('SUBSCRIBE', { id: 'sub-0', destination: '/queue/jobs', ack: 'client', receipt: 's' }));
  await receipt(client, 's');
  send(client, '/queue/jobs', { job: 1 });
  const { headers } = await message(client);
  client.send(frame('ACK', { 'message-id': headers['message-id'], receipt: 'a' }));
  await receipt(client, 'a');
});

test('Spring relay: P_RCPT_06 after the RECEIPT of DISCONNECT the relay waits for our close', limit, async (t) => {
  const { client } = await browser(t, await startBroker(t));
  client.send(frame('DISCONNECT', { receipt: 'close-1' }));
  await receipt(client, 'close-1');
  await bounded(client.ended, 'the end of the connection', 5_000);
});

test('Spring relay: P_WS_15 P_ACK_08 DISCONNECT without receipt and an end at once are quiet', limit, async (t) => {
  const broker = await startBroker(t);
  const { client } = await browser(t, broker);
  client.send(frame('DISCONNECT'));
  client.close();
  const { client: next } = await browser(t, broker);
  next.send(frame('DISCONNECT', { receipt: 'r' }));
  await receipt(next, 'r');
  await broker.stop();
  assert.doesNotMatch(broker.log, /"level":"(warn|error)"/);
});

test('Spring relay: P_ERR_01 P_ERR_03 the ERROR that is passed to the browser', limit, async (t) => {
  const { client } = await browser(t, await startBroker(t));
  client.send(frame('SUBSCRIBE', { id: 'sub-0', destination: '/topic/a', ack: 'perhaps', receipt: 'x' }));
  const { command, headers, body } = await client.frames.next('ERROR');
  assert.equal(command, 'ERROR');
  assert.equal(headers.message, 'bad-header');
  assert.equal(headers['receipt-id'], 'x');
  assert.match(String(body), /ack.*\n.+/);
  await bounded(client.ended, 'the end of the connection');
});

test('Spring relay: P_DEST_01 a hundred browser sessions from one address', limit, async (t) => {
  const broker = await startBroker(t);
  const { client: server } = await system(t, broker);
  const sessions = await Promise.all(Array.from({ length: 100 }, () => browser(t, broker)));
  for (const { client } of sessions) {
    client.send(frame('SUBSCRIBE', { id: 'sub-0', destination: '/topic/all', receipt: 's' }));
  }
  await Promise.all(sessions.map(({ client }) => receipt(client, 's')));
  send(server, '/topic/all', { hello: 'all' });
  for (const { headers } of await Promise.all(sessions.map(({ client }) => message(client)))) {
    assert.equal(headers.subscription, 'sub-0');
  }
});
