// @stomp/rx-stomp: stompjs behind observables. What it adds: a queue while disconnected,
// subscriptions that come back with the connection, and ERRORs told apart by their receipt-id.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RxStomp, RxStompState } from '@stomp/rx-stomp';
import { filter, firstValueFrom } from 'rxjs';
import './support/adapter_stompjs.mjs';
import { startBroker } from './support/broker.mjs';
import { Inbox, bounded, deferred } from './support/waiting.mjs';

const limit = { timeout: 60_000 };

function activate(t, broker, options = {}) {
  const client = new RxStomp();
  client.configure({
    brokerURL: broker.ws,
    connectHeaders: { login: 'guest', passcode: 'guest' },
    reconnectDelay: 20,
    ...options,
  });
  client.activate();
  t.after(() => client.deactivate());
  return client;
}

/** What is published to `destination`, once the broker has said that the subscription stands. */
async function watch(client, destination, subHeaders = {}) {
  const inbox = new Inbox(`MESSAGE on ${destination}`);
  const receipt = deferred();
  const id = `watch-${destination}`;
  await bounded(firstValueFrom(client.connected$), 'CONNECTED');
  client.watchForReceipt(id, receipt.resolve);
  client.watch({ destination, subHeaders: { ...subHeaders, receipt: id } }).subscribe((message) => inbox.push(message));
  await bounded(receipt.promise, 'RECEIPT of SUBSCRIBE');
  return inbox;
}

test('rx-stomp: P_CONN_08 P_SUB_04 publishes and watches, text and binary', limit, async (t) => {
  const client = activate(t, await startBroker(t));
  const inbox = await watch(client, '/topic/rx');
  client.publish({ destination: '/topic/rx', body: 'text, Ω' });
  assert.equal((await inbox.next()).body, 'text, Ω');
  client.publish({ destination: '/topic/rx', binaryBody: new Uint8Array([0, 255, 10]) });
  assert.deepEqual([...(await inbox.next()).binaryBody], [0, 255, 10]);
});

test('rx-stomp: P_ACK_05 P_ACK_06 acknowledges and refuses', limit, async (t) => {
  const client = activate(t, await startBroker(t));
  const inbox = await watch(client, '/queue/rx', { ack: 'client-individual' });
  client.publish({ destination: '/queue/rx', body: 'twice' });
  (await inbox.next()).nack();
  const again = await inbox.next();
  assert.equal(again.headers.redelivered, 'true');
  again.ack();
});

test('rx-stomp: P_SEND_02 what was published before the connection comes, in order', limit, async (t) => {
  const broker = await startBroker(t);
  const client = new RxStomp();
  client.configure({ brokerURL: broker.ws, reconnectDelay: 20 });
  for (const body of ['one', 'two', 'three']) client.publish({ destination: '/queue/early', body });
  client.activate();
  t.after(() => client.deactivate());
  const inbox = await watch(client, '/queue/early');
  assert.deepEqual((await inbox.take(3)).map((message) => message.body), ['one', 'two', 'three']);
});

test('rx-stomp: P_SUB_01 subscriptions come back after the broker was killed', limit, async (t) => {
  const broker = await startBroker(t);
  const client = activate(t, broker);
  const inbox = await watch(client, '/topic/phoenix');
  const states = client.connectionState$;
  const closed = firstValueFrom(states.pipe(filter((state) => state !== RxStompState.OPEN)));
  await broker.kill();
  await bounded(closed, 'the loss of the connection');
  await broker.restart();
  await bounded(firstValueFrom(client.connected$), 'CONNECTED again');
  // The subscription was sent again before this.
  client.publish({ destination: '/topic/phoenix', body: 'risen' });
  assert.equal((await inbox.next()).body, 'risen');
});

test('rx-stomp: P_ERR_03 correlateErrors finds the subscription by receipt-id', limit, async (t) => {
  const broker = await startBroker(t);
  const destinations = { wrong: '/topic/x' };
  const correlateErrors = (error) => destinations[error.headers['receipt-id']];
  const client = activate(t, broker, { correlateErrors, reconnectDelay: 0 });
  await bounded(firstValueFrom(client.connected$), 'CONNECTED');
  const error = deferred();
  const subHeaders = { receipt: 'wrong', ack: 'sometimes' };
  client.watch({ destination: '/topic/x', subHeaders }).subscribe({ error: error.resolve });
  const { headers } = await bounded(error.promise, 'the error of the subscription');
  assert.equal(headers.message, 'bad-header');
  assert.equal(headers['receipt-id'], 'wrong');
});
