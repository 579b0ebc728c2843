// A real browser: what Chromium itself insists on, and stompjs inside it, over ws and wss.
// Each test drives a page through window.lab (browser/page.mjs), served by the broker under test.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startBroker } from './support/broker.mjs';
import { startBrowser } from './support/browser.mjs';
import { makeCertificate, tlsConfig } from './support/certificate.mjs';
import { bounded } from './support/waiting.mjs';

const limit = { timeout: 90_000 };
const serving = ['--http-dir', fileURLToPath(new URL('.', import.meta.url))];

/** `lab.next('connected')` runs inside the page; `lab.close()` closes its tab. */
function remote(tab) {
  const call = (name) => (...args) =>
    bounded(tab.evaluate(([f, a]) => window.lab[f](...a), [name, args]), `${name}(${args.map(String)})`);
  const here = { close: () => tab.close(), then: undefined };
  return new Proxy(here, { get: (_, name) => (name in here ? here[name] : call(name)) });
}

async function laboratory(t, { expected, ...options } = {}) {
  const { page } = await startBrowser(t);
  const broker = await startBroker(t, { args: serving, ...options });
  const open = async () => {
    const tab = await page(`${broker.http}/browser/page.html`, expected);
    await tab.waitForSelector('html[data-ready]', { state: 'attached' });
    return remote(tab);
  };
  return { broker, page, open };
}

async function converse(lab, url, expectedProtocol) {
  await lab.connect(url);
  const connected = await lab.next('connected');
  assert.equal(connected.version, '1.2');
  assert.equal(await lab.protocol(), expectedProtocol);
  await lab.subscribe('/queue/browser', { ack: 'client-individual' });
  await lab.publish('/queue/browser', 'first, Ω');
  assert.equal((await lab.receive('/queue/browser', 'nack')).body, 'first, Ω');
  const again = await lab.receive('/queue/browser', 'ack');
  assert.equal(again.headers.redelivered, 'true');
  await lab.disconnect();
  const { code, wasClean } = await lab.next('closed');
  assert.deepEqual({ code, wasClean }, { code: 1000, wasClean: true });
}

test('Chromium: P_WS_02 P_SUB_04 P_ACK_06 P_RCPT_06 a conversation over ws', limit, async (t) => {
  const { broker, open } = await laboratory(t);
  await converse(await open(), broker.ws, 'v12.stomp');
});

test('Chromium: P_WS_02 P_SUB_04 P_ACK_06 P_RCPT_06 a conversation over wss', limit, async (t) => {
  const { broker, open } = await laboratory(t, { config: tlsConfig(makeCertificate(t)) });
  assert.match(broker.ws, /^wss:/);
  await converse(await open(), broker.ws, 'v12.stomp');
});

test('Chromium: P_WS_12 P_FRAME_14 text is text, other octets are binary', limit, async (t) => {
  const { broker, open } = await laboratory(t);
  const lab = await open();
  await lab.connect(broker.ws);
  await lab.next('connected');
  await lab.subscribe('/topic/octets');
  const all = Array.from({ length: 256 }, (_, i) => i);
  await lab.publishBinary('/topic/octets', all);
  assert.deepEqual((await lab.receive('/topic/octets')).first, all);
  await lab.publish('/topic/octets', 'Ω'.repeat(250_000));
  assert.equal((await lab.receive('/topic/octets')).length, 500_000);
  await lab.publishBinary('/topic/octets', Array(1000).fill(200));
  assert.equal((await lab.receive('/topic/octets')).length, 1000);
});

test('Chromium: P_HB_03 P_HB_04 beats of 1000 both ways for three seconds', limit, async (t) => {
  const { broker, open } = await laboratory(t);
  const lab = await open();
  await lab.connect(broker.ws, { heartbeatIncoming: 1000, heartbeatOutgoing: 1000 });
  assert.equal((await lab.next('connected'))['heart-beat'], '1000,1000');
  const beats = [];
  while (beats.length < 5 || beats.at(-1) - beats[0] < 3000) beats.push(await lab.next('beat'));
  const gaps = beats.slice(1).map((beat, i) => beat - beats[i]);
  assert.ok(Math.max(...gaps) < 1500, `gaps of ${gaps.map(Math.round)} ms`);
  await lab.subscribe('/topic/alive');
});

test('Chromium: P_ERR_06 the page comes back after the broker was killed and restarted', limit, async (t) => {
  const { broker, open } = await laboratory(t, { expected: /WebSocket connection to .* failed/ });
  const lab = await open();
  await lab.connect(broker.ws);
  await lab.next('connected');
  await broker.kill();
  assert.equal((await lab.next('closed')).code, 1006);
  await broker.restart();
  await lab.next('connected');
  await lab.subscribe('/topic/again');
  await lab.publish('/topic/again', 'back');
  assert.equal((await lab.receive('/topic/again')).body, 'back');
});

test('Chromium: P_ERR_05 P_ERR_08 the page reads the ERROR and the code', limit, async (t) => {
  const { broker, open } = await laboratory(t);
  const lab = await open();
  await lab.connect(broker.ws, { reconnectDelay: 0 });
  await lab.next('connected');
  await lab.publish('/queue/*', 'nowhere');
  const { headers, body } = await lab.next('error');
  assert.equal(headers.message, 'bad-destination');
  assert.match(body, /\S+ .+\n.+/);
  const { code, reason } = await lab.next('closed');
  assert.equal(code, 1008);
  assert.match(reason, /^bad-destination/);
});

test('Chromium: P_WS_15 P_ACK_08 a page that is closed is no fault', limit, async (t) => {
  const { broker, open } = await laboratory(t);
  const [leaving, heir] = [await open(), await open()];
  for (const lab of [leaving, heir]) {
    await lab.connect(broker.ws);
    await lab.next('connected');
    await lab.subscribe('/queue/left', { ack: 'client' });
    if (lab === leaving) await lab.publish('/queue/left', 'unread');
  }
  await leaving.receive('/queue/left');
  await leaving.close();
  assert.equal((await heir.receive('/queue/left')).headers.redelivered, 'true');
  await heir.disconnect();
  await broker.stop();
  assert.doesNotMatch(broker.log, /"level":"(warn|error)"/);
});

test('Chromium: P_WS_04 the browser fails a connection without echo, and the log says why', limit, async (t) => {
  const { broker, page } = await laboratory(t);
  const tab = await page(`${broker.http}/browser/page.html`, /WebSocket connection to .* failed/);
  const code = await tab.evaluate(
    (url) => new Promise((resolve) => (new WebSocket(url, ['chat']).onclose = (event) => resolve(event.code))),
    broker.ws,
  );
  assert.equal(code, 1006);
  await broker.logged(/"level":"warn".*v12\.stomp/);
});

test('Chromium: S_WEB_01 P_WS_01 a page of a foreign origin is refused', limit, async (t) => {
  const { broker, page } = await laboratory(t);
  const foreign = await servePage(t);
  const tab = await page(`http://foreign.localhost:${foreign}/`, /WebSocket connection to .* failed/);
  const complaint = tab.waitForEvent('console');
  const outcome = await tab.evaluate(
    (url) =>
      new Promise((resolve) => {
        const socket = new WebSocket(url, ['v12.stomp']);
        socket.onopen = () => resolve('open');
        socket.onclose = (event) => resolve(event.code);
      }),
    broker.ws,
  );
  assert.equal(outcome, 1006);
  assert.match((await complaint).text(), /403/);
});

test('Chromium: S_WEB_03 a page of a local development server is let in', limit, async (t) => {
  const { broker, page } = await laboratory(t);
  const local = await servePage(t);
  const tab = await page(`http://localhost:${local}/`);
  const protocol = await tab.evaluate(
    (url) =>
      new Promise((resolve, reject) => {
        const socket = new WebSocket(url, ['v12.stomp', 'v11.stomp']);
        socket.onopen = () => resolve(socket.protocol);
        socket.onclose = reject;
      }),
    broker.ws,
  );
  assert.equal(protocol, 'v12.stomp');
});

for (const name of ['stompjs 2.3.3', 'webstomp-client']) {
  test(`Chromium: P_WS_11 P_CONN_08 ${name} from its own bundle`, limit, async (t) => {
    const { broker, page } = await laboratory(t);
    const tab = await page(`${broker.http}/browser/page.html`);
    const body = await tab.evaluate(
      ([url, client]) =>
        new Promise((resolve, reject) => {
          const isOld = client === 'stompjs 2.3.3';
          const stomp = isOld ? window.Stomp.client(url) : window.webstomp.client(url, { debug: false });
          stomp.debug = () => {};
          stomp.connect(
            'guest',
            'guest',
            () => {
              stomp.subscribe('/topic/bundle', (message) => resolve(message.body));
              if (isOld) stomp.send('/topic/bundle', {}, 'from the bundle');
              else stomp.send('/topic/bundle', 'from the bundle');
            },
            reject,
          );
        }),
      [broker.ws, name],
    );
    assert.equal(body, 'from the bundle');
  });
}

/** A server of an empty page, on a port of its own. */
async function servePage(t) {
  const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end('<link rel=icon href=data:,>'));
  server.listen(0, '127.0.0.1');
  t.after(() => server.closeAllConnections() ?? server.close());
  await once(server, 'listening');
  return server.address().port;
}
