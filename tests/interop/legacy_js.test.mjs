// The clients of a decade ago that many pages still load: stompjs 2.3.3, stomp-websocket, webstomp-client.
// What they cannot do is left out of the common script, and what they do wrong is refused with a remedy.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import stomp233 from 'stompjs';
import stompWebSocket from 'stomp-websocket';
import webstomp from 'webstomp-client';
import { jmesnilAdapter, webstompAdapter } from './support/adapter_legacy.mjs';
import { startBroker } from './support/broker.mjs';
import { commonScript } from './support/common_script.mjs';

// They neither escape nor unescape, and cut text where it may hurt a character.
const abilities = {
  versions: ['1.1', '1.0'],
  headers: { empty: '', blank: 'a b', semicolon: 'a;b' },
  binary: false,
  nul: false,
  splitsSurrogates: true,
};
const lastVersion = { ...abilities, versions: ['1.2', '1.1', '1.0'] };

commonScript('stompjs 2.3.3', jmesnilAdapter(stomp233), abilities);
commonScript('stomp-websocket 2.3.4', jmesnilAdapter(stompWebSocket), abilities);
commonScript('webstomp-client 1.2.6', webstompAdapter(webstomp), lastVersion);
commonScript('webstomp-client 1.2.6 in binary', webstompAdapter(webstomp, { binary: true }), {
  ...lastVersion,
  splitsSurrogates: false,
});

test('P_FRAME_12 a surrogate pair that the client cut is refused with the remedy', async (t) => {
  const broker = await startBroker(t);
  const session = await jmesnilAdapter(stomp233)(broker);
  t.after(() => session.kill());
  // One of the two has a pair across the cut.
  for (const first of ['', '.']) session.send('/topic/cut', first + '\u{1F418}'.repeat(20_000));
  const error = await session.lost();
  assert.equal(error.message, 'bad-frame');
  assert.match(error.body, /maxWebSocketFrameSize/);
});
