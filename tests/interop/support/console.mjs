// The web console of a broker in a browser: opened with its token, watched for what a page must not do.
// A violation of the content security policy or a request to another host fails the test.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBroker } from './broker.mjs';
import { startBrowser } from './browser.mjs';
import { connectFrame, frame, TcpClient } from './raw_client.mjs';

export const adminToken = 'an-admin-token-of-the-tests';
export const readToken = 'a-token-that-may-only-read';
export const publishToken = 'a-token-that-may-only-publish';

/** A broker with the tokens above, and a browser; `open(path)` is a tab of its console, `tokens(LINES)` writes others. */
export async function startConsole(t, { browser = {}, expected = /^$/, ...options } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'stampede-console-'));
  const file = join(folder, 'tokens');
  const tokens = (...lines) => writeFileSync(file, `${lines.join('\n')}\n`, { mode: 0o600 });
  tokens(adminToken, `read ${readToken}`, `publish ${publishToken}`);
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const { context, page } = await startBrowser(t, browser);
  const broker = await startBroker(t, { ...options, env: { ...options.env, STAMPEDE_ADMIN__TOKEN_FILE: file } });
  const crimes = [];
  t.after(() => assert.deepEqual(crimes, [], 'what the pages must not do'));
  await context.exposeFunction('accuse', (text) => crimes.push(text));
  await context.addInitScript(() => {
    window.found = 0;
    document.addEventListener('securitypolicyviolation', async (event) => {
      await window.accuse(`${event.violatedDirective}: ${event.blockedURI}`);
      window.found += 1;
    });
  });
  context.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(broker.admin) && !/^(data|about):/.test(url)) crimes.push(url);
  });
  const open = async (path = '', token = adminToken) => {
    const tab = await page(`${broker.admin}/#token=${token}`, expected);
    await tab.waitForSelector('main:not(.login)');
    if (path) await visit(tab, path);
    return tab;
  };
  return { broker, context, page, open, crimes, tokens };
}

/** Goes to a page of the console; `path` is encoded already: destinations/%2Fqueue%2Fx */
export async function visit(tab, path) {
  await tab.evaluate((hash) => (location.hash = `#/${hash}`), path);
  await tab.waitForSelector('main h1');
}

export const place = (name) => `destinations/${encodeURIComponent(name)}`;

/** A client that is connected, over TCP. */
export async function connectClient(broker, headers = {}) {
  const client = await TcpClient.open(broker);
  client.send(connectFrame(headers));
  const { command } = await client.frames.next('CONNECTED');
  assert.equal(command, 'CONNECTED');
  return client;
}

/** Sends and waits for the receipt. */
export async function publish(client, destination, body, headers = {}) {
  client.send(frame('SEND', { destination, receipt: 'sent', ...headers }, body));
  assert.equal((await client.frames.next('RECEIPT')).command, 'RECEIPT');
}

/** Subscribes and waits for the receipt. */
export async function subscribe(client, destination, headers = {}) {
  client.send(frame('SUBSCRIBE', { id: 'reader', destination, receipt: 'subscribed', ...headers }));
  assert.equal((await client.frames.next('RECEIPT')).command, 'RECEIPT');
}

/** A dead letter in /queue/DLQ.NAME: sent to /queue/NAME and rejected there. */
export async function makeDeadLetter(broker, name, body) {
  const client = await connectClient(broker);
  await publish(client, `/queue/${name}`, body);
  await subscribe(client, `/queue/${name}`, { ack: 'client-individual' });
  const { headers } = await client.frames.next('MESSAGE');
  client.send(frame('NACK', { id: headers.ack, requeue: 'false', receipt: 'rejected' }));
  await client.frames.next('RECEIPT');
  client.close();
}
