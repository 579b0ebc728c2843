// @stomp/stompjs, the client that most pages use: versions 7, 6 and 5, in all its ways to send.
// Text, text in pieces, binary; over TCP; and what its users get wrong.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TCPWrapper } from '@stomp/tcp-wrapper';
import { loadStompjs, stompjsAdapter } from './support/adapter_stompjs.mjs';
import { startBroker } from './support/broker.mjs';
import { commonScript } from './support/common_script.mjs';
import { Inbox, next } from './support/waiting.mjs';

const stompjs7 = await loadStompjs('stompjs7');
const stompjs6 = await loadStompjs('stompjs6');
const stompjs5 = await loadStompjs('stompjs5');
const versions = ['1.2', '1.1', '1.0'];
const overTcp = ({ tcp }) => new TCPWrapper(tcp.host, tcp.port);

commonScript('stompjs 7', stompjsAdapter(stompjs7), { versions });
commonScript('stompjs 6', stompjsAdapter(stompjs6), { versions });
commonScript('stompjs 5', stompjsAdapter(stompjs5), { versions });
commonScript('stompjs 7 in pieces', stompjsAdapter(stompjs7, { splitLargeFrames: true, maxWebSocketChunkSize: 1000 }));
commonScript('stompjs 7 in binary', stompjsAdapter(stompjs7, { forceBinaryWSFrames: true }));
commonScript('stompjs 7 over TCP', stompjsAdapter(stompjs7, {}, overTcp));

test('P_FRAME_12 P_SEND_05 skipContentLengthHeader: the body ends at NUL', async (t) => {
  const broker = await startBroker(t);
  const session = await stompjsAdapter(stompjs7)(broker);
  const inbox = await session.subscribe('/topic/bare');
  session.client.publish({ destination: '/topic/bare', body: 'no length', skipContentLengthHeader: true });
  assert.equal((await inbox.next()).body, 'no length');
  await session.disconnect();
});

test('P_WS_02 P_WS_04 strangers among the sub-protocols are passed over', async (t) => {
  const broker = await startBroker(t);
  const offered = ['wss', 'ws', 'bearer.abc', 'v11.stomp', 'v12.stomp'];
  const open = stompjsAdapter(stompjs7, {}, (_, url) => new WebSocket(url, offered));
  const session = await open(broker);
  assert.equal(session.socket.protocol, 'v12.stomp');
  await session.disconnect();
});

test('P_WS_03 no sub-protocol offered, none echoed', async (t) => {
  const broker = await startBroker(t);
  const session = await stompjsAdapter(stompjs7, {}, (_, url) => new WebSocket(url))(broker);
  assert.equal(session.socket.protocol, '');
  assert.equal(session.connected.version, '1.2');
  await session.disconnect();
});

test('P_WS_01 /stomp and the alias /websocket lead to the same', async (t) => {
  const broker = await startBroker(t);
  for (const path of ['/stomp', '/ws/websocket', '/stomp/websocket']) {
    const session = await stompjsAdapter(stompjs7, { brokerURL: broker.ws.replace('/ws', path) })(broker);
    await session.disconnect();
  }
});

test('P_ERR_05 P_ERR_08 a mistake is an ERROR with its receipt-id, then a code that tells why', async (t) => {
  const broker = await startBroker(t);
  const session = await stompjsAdapter(stompjs7)(broker);
  const closed = next(session.socket, 'close');
  await assert.rejects(session.sendAndWait('/queue/*', 'x'), (error) => {
    assert.equal(error.message, 'bad-destination');
    assert.equal(error.frame.headers['receipt-id'], 'receipt-1');
    return true;
  });
  assert.equal(await closed, 1008);
});

test('P_ERR_06 the client comes back by itself after a restart', async (t) => {
  const broker = await startBroker(t);
  const session = await stompjsAdapter(stompjs7)(broker, { reconnect: 20 });
  t.after(() => session.client.deactivate());
  const connections = new Inbox('CONNECTED again');
  const inbox = new Inbox('MESSAGE after the restart');
  session.client.onConnect = (frame) => connections.push(frame);
  const closed = next(session.socket, 'close');
  await broker.stop();
  assert.equal(await closed, 1012);
  await broker.restart();
  await connections.next();
  session.client.subscribe('/topic/back', (message) => inbox.push(message.body));
  session.client.publish({ destination: '/topic/back', body: 'here again' });
  assert.equal(await inbox.next(), 'here again');
});
