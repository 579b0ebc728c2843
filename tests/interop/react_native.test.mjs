// React Native on Android: text WebSocket messages lose their NUL and what follows it, both ways.
// Simulated by a socket that does the same; stompjs has two options against it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadStompjs, stompjsAdapter } from './support/adapter_stompjs.mjs';
import { startBroker } from './support/broker.mjs';
import { ReactNativeSocket } from './support/react_native.mjs';

const stompjs = await loadStompjs('stompjs7');
const limit = { timeout: 60_000 };
const remedy = { forceBinaryWSFrames: true, appendMissingNULLonIncoming: true };

const reactNative = (_, url) => new ReactNativeSocket(url, ['v12.stomp', 'v11.stomp', 'v10.stomp']);

test('React Native: P_WS_11 P_WS_14 with stompjs\'s two options all works', limit, async (t) => {
  const broker = await startBroker(t);
  const session = await stompjsAdapter(stompjs, remedy, reactNative)(broker);
  const inbox = await session.subscribe('/queue/mobile', { ack: 'client' });
  for (const body of ['hello', '', 'Ω'.repeat(50_000), 'three\nlines\n']) {
    session.send('/queue/mobile', body);
    const message = await inbox.next();
    assert.equal(message.body, body);
    message.ack();
  }
  session.send('/queue/mobile', Buffer.from([0, 255, 0]));
  assert.deepEqual([...(await inbox.next()).bytes], [0, 255, 0], 'binary messages keep their NUL');
  await session.disconnect();
});

test('React Native: P_HB_03 P_WS_13 beats are no frames', limit, async (t) => {
  const broker = await startBroker(t);
  const session = await stompjsAdapter(stompjs, remedy, reactNative)(broker, { beats: 1000 });
  t.after(() => session.kill());
  const inbox = await session.subscribe('/topic/mobile');
  await session.beats.reaches('received', 2);
  session.send('/topic/mobile', 'after beats');
  assert.equal((await inbox.next()).body, 'after beats');
});

test('React Native: P_WS_10 without them CONNECT is refused, and the body names them', limit, async (t) => {
  const broker = await startBroker(t);
  const halfWay = stompjsAdapter(stompjs, { appendMissingNULLonIncoming: true }, reactNative);
  await assert.rejects(halfWay(broker), (error) => {
    assert.equal(error.message, 'bad-frame');
    assert.match(error.body, /forceBinaryWSFrames/);
    assert.match(error.body, /appendMissingNULLonIncoming/);
    return true;
  });
});

test('React Native: P_WS_10 tolerate_missing_nul lets such a CONNECT in', limit, async (t) => {
  const broker = await startBroker(t, { env: { STAMPEDE_SERVER__TOLERATE_MISSING_NUL: 'true' } });
  const halfWay = stompjsAdapter(stompjs, { appendMissingNULLonIncoming: true }, reactNative);
  const session = await halfWay(broker);
  t.after(() => session.kill());
  assert.equal(session.connected.version, '1.2');
});
