// The web console in a real browser, by clicking: what an operator does with it, and what it must never do.
// With CONSOLE_PICTURES=FOLDER it also writes the pictures of docs/console.md there.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import {
  adminToken,
  connectClient,
  makeDeadLetter,
  place,
  publish,
  publishToken,
  readToken,
  startConsole,
  subscribe,
  visit,
} from './support/console.mjs';
import { frame } from './support/raw_client.mjs';
import { bounded } from './support/waiting.mjs';

const limit = { timeout: 120_000 };
const pages = ['overview', 'connections', 'destinations', 'subscriptions', 'policies', 'nodes', 'logs', 'scheduled'];
/** The browser complains itself about each answer that is not 2xx: here of a destination that nobody has used yet. */
const notThereYet = { expected: /404/ };
const button = (tab, name) => tab.getByRole('button', { name, exact: true });

/** Waits until `look`, run in the page, is true; `argument` is passed to it. */
const until = (tab, look, argument) => tab.waitForFunction(look, argument, { polling: 50 });

test('Console: O_11 its sources are sound to the type checker', limit, () => {
  const folder = fileURLToPath(new URL('../../broker/console', import.meta.url));
  execFileSync('node', ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'], { cwd: folder, stdio: 'inherit' });
});

test('Console: O_11 S_WEB_07 a link brings the token, the address bar forgets it, a reload asks again', limit, async (t) => {
  const { broker, page } = await startConsole(t);
  const tab = await page(`${broker.admin}/#token=${adminToken}`);
  await tab.getByRole('heading', { name: 'Overview' }).waitFor();
  assert.doesNotMatch(tab.url(), /token/);
  const kept = await tab.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
  assert.ok(!kept.includes(adminToken));
  await tab.reload();
  await tab.getByLabel('Admin token').fill(adminToken);
  await tab.keyboard.press('Enter');
  await tab.getByRole('heading', { name: 'Overview' }).waitFor();
});

test('Console: O_11 a wrong token is refused in words', limit, async (t) => {
  const { broker, page } = await startConsole(t);
  const tab = await page(`${broker.admin}/`, /401/);
  await tab.getByLabel('Admin token').fill('not-the-token-of-this-broker');
  await tab.keyboard.press('Enter');
  await tab.getByRole('alert').getByText('does not know this token').waitFor();
  await tab.getByLabel('Admin token').fill(adminToken);
  await tab.keyboard.press('Enter');
  await tab.getByRole('heading', { name: 'Overview' }).waitFor();
});

test('Console: O_11 a token that may only publish is refused in words', limit, async (t) => {
  const { broker, page } = await startConsole(t, { expected: /403/ });
  const tab = await page(`${broker.admin}/`, /403/);
  await tab.getByLabel('Admin token').fill(publishToken);
  await tab.keyboard.press('Enter');
  await tab.getByRole('alert').getByText('scope').waitFor();
  assert.ok(await tab.getByLabel('Admin token').isVisible());
});

test('Console: O_11 S_WEB_07 a token that is no longer taken is forgotten, and asked for again', limit, async (t) => {
  const { broker, open, tokens } = await startConsole(t, { expected: /401|WebSocket connection to|ERR_|Failed to load resource/ });
  const tab = await open();
  await tab.getByText('live', { exact: true }).waitFor();
  await broker.kill();
  tokens('another-token-than-before');
  await broker.restart();
  await tab.getByRole('alert').getByText('The broker no longer takes this token.').waitFor();
  assert.equal(await tab.getByLabel('Admin token').inputValue(), '');
  assert.ok(!(await tab.content()).includes(adminToken));
  await tab.getByLabel('Admin token').fill('another-token-than-before');
  await tab.keyboard.press('Enter');
  await tab.getByRole('heading', { name: 'Overview' }).waitFor();
});

test('Console: O_11 rates move while messages pass', limit, async (t) => {
  const { broker, open } = await startConsole(t);
  const tab = await open();
  await tab.getByText('live', { exact: true }).waitFor();
  const client = await connectClient(broker);
  for (let i = 0; i < 20; i++) await publish(client, '/topic/moving', 'x');
  await until(tab, () => document.querySelector('.totals dd')?.textContent !== '0');
  await tab.locator('.events').getByText('connect', { exact: true }).first().waitFor();
});

test('Console: O_11 a message published in one view appears in another', limit, async (t) => {
  const { open } = await startConsole(t, notThereYet);
  const [reader, writer] = [await open(place('/topic/views')), await open(place('/topic/views'))];
  await button(reader, 'Subscribe').click();
  await button(reader, 'Unsubscribe').waitFor();
  await until(writer, () => /Subscribers\s*1/.test(document.querySelector('.stats')?.textContent ?? ''));
  await writer.getByLabel('Body').fill('{"said": "hello <b>there</b>"}');
  await button(writer, 'Publish').click();
  await writer.getByText('1 confirmed by the broker').waitFor();
  await reader.locator('.frames summary').first().click();
  assert.match(await reader.locator('pre.body').textContent(), /"said": "hello <b>there<\/b>"/);
});

test('Console: O_11 system events are told in words, the newest first', limit, async (t) => {
  const { broker, open } = await startConsole(t);
  const tab = await open();
  await tab.getByText('live', { exact: true }).waitFor();
  const client = await connectClient(broker);
  const told = (name) => tab.locator('.events li').filter({ has: tab.getByText(name, { exact: true }) });
  await told('connect').getByText(/connection=\S+ {2}.*user=\S+ {2}.*address=\S+/).first().waitFor();
  client.send(frame('SEND', { destination: '/topic/$SYS.of mine' }, 'x'));
  await told('refused').getByText(/reason=\S+ {2}.*destination="\/topic\/\$SYS\.of mine"/).waitFor();
  await told('disconnect').first().waitFor();
  const names = await tab.locator('.events .badge').allTextContents();
  assert.ok(names.indexOf('refused') < names.lastIndexOf('connect'), names.join(' '));
  for (const text of await tab.locator('.events li').allTextContents()) assert.match(text, /^\d\d:\d\d:\d\d[^{}]*$/);
});

test('Console: O_11 what the broker refuses is told and the page goes on', limit, async (t) => {
  const { open } = await startConsole(t, notThereYet);
  const tab = await open(place('/queue/two words'));
  await tab.getByRole('button', { name: 'Live' }).click();
  await tab.getByLabel('Headers').fill('transaction: nobody-began-it');
  await button(tab, 'Publish').click();
  await tab.getByRole('alert').waitFor();
  await tab.getByLabel('Headers').fill('');
  await button(tab, 'Publish').click();
  await tab.getByText('1 confirmed by the broker').waitFor();
});

test('Console: O_11 a client that is kicked is gone, and is told why', limit, async (t) => {
  const { broker, open } = await startConsole(t);
  const client = await connectClient(broker, { 'client-id': 'the-one-to-kick' });
  const tab = await open('connections');
  const row = tab.getByRole('row').filter({ hasText: 'the-one-to-kick' });
  await row.getByRole('link').click();
  await tab.getByRole('button', { name: 'Kick' }).click();
  await tab.getByLabel('Reason').fill('too loud');
  await tab.getByRole('dialog').getByRole('button', { name: 'Kick' }).click();
  const error = await client.frames.next('ERROR');
  assert.equal(error.headers.message, 'kicked');
  assert.match(error.body.toString(), /too loud/);
  await bounded(client.ended, 'the end of the connection');
  await tab.getByRole('heading', { name: 'Connections' }).waitFor();
  await row.waitFor({ state: 'detached' });
});

test('Console: O_11 S_WEB_08 why a client was refused is told on the page of its next connection', limit, async (t) => {
  const { broker, open } = await startConsole(t, { expected: /404/ });
  const refused = async (destination) => {
    const client = await connectClient(broker, { 'client-id': 'the-refused-one' });
    client.send(frame('SEND', { destination }, 'x'));
    const { body } = await client.frames.next('ERROR');
    await bounded(client.ended, 'the end of the connection');
    return body.toString().split('\n')[0];
  };
  const markup = '<img src=x onerror=window.hit=1>';
  const first = await refused(`/sys/${markup}`);
  const client = await connectClient(broker, { 'client-id': 'the-refused-one' });
  await connectClient(broker, { 'client-id': 'another-one' });
  const tab = await open('connections');
  await tab.getByRole('row').filter({ hasText: 'another-one' }).getByRole('link').click();
  await tab.getByText('It has subscribed to nothing').waitFor();
  assert.equal(await tab.getByText('Last errors').count(), 0);
  await visit(tab, 'connections');
  await tab.getByRole('row').filter({ hasText: 'the-refused-one' }).getByRole('link').click();
  const errors = tab.getByRole('table', { name: 'Last errors' }).getByRole('row');
  await errors.filter({ hasText: 'access-denied' }).getByText(first).waitFor();
  assert.equal(await tab.evaluate(() => window.hit), undefined);
  client.send(frame('COMMIT', { transaction: 'nobody-began-it' }));
  const { body } = await client.frames.next('ERROR');
  const gone = tab.getByRole('alert').filter({ hasText: 'It has ended' });
  await gone.getByText(body.toString().split('\n')[0]).waitFor();
});

test('Console: O_11 what a durable queue holds on disk is shown', limit, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'stampede-console-data-'));
  const storage = { STAMPEDE_STORAGE__DIRECTORY: folder, STAMPEDE_STORAGE__ALLOW_UNSAFE_FILESYSTEM: 'true', STAMPEDE_STORAGE__DISK_FLOOR: '1MiB' };
  const { broker, open } = await startConsole(t, { env: storage });
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const client = await connectClient(broker);
  await publish(client, '/queue/small', 'x');
  for (let i = 0; i < 3; i++) await publish(client, '/queue/large', 'x'.repeat(10_000));
  await publish(client, '/queue/large', 'x'.repeat(9000), { persistent: 'false' });
  const tab = await open('destinations');
  await tab.getByRole('button', { name: 'On disk' }).click();
  await until(tab, () => /large.*small/s.test(document.querySelector('tbody')?.textContent ?? ''));
  await tab.getByRole('link', { name: '/queue/large' }).click();
  await until(tab, () => /In memory38\.\d KiB29\.\d KiB on disk/.test(document.querySelector('.stats')?.textContent ?? ''));
});

test('Console: O_11 P_ACK_11 a dead letter is moved back', limit, async (t) => {
  const { broker, open } = await startConsole(t);
  await makeDeadLetter(broker, 'orders', 'order number 7');
  const tab = await open('destinations');
  await tab.getByRole('link', { name: '/queue/DLQ.orders' }).click();
  await tab.getByText('rejected').waitFor();
  await tab.getByText('order number 7').waitFor();
  await button(tab, 'Re-drive').click();
  await tab.getByRole('dialog').getByRole('button', { name: 'Re-drive' }).click();
  await tab.getByText('1 message moved back.').waitFor();
  await tab.getByText('Nothing waits here').waitFor();
  await visit(tab, place('/queue/orders'));
  await tab.getByText('order number 7').waitFor();
});

test('Console: O_11 a queue is moved, purged and deleted, each after a question', limit, async (t) => {
  const { broker, open } = await startConsole(t);
  const client = await connectClient(broker);
  for (const body of ['one', 'two', 'three']) await publish(client, '/queue/full', body);
  const tab = await open(place('/queue/full'));
  const answer = (name) => tab.getByRole('dialog').getByRole('button', { name }).click();
  await button(tab, 'Move').click();
  await tab.getByLabel('To', { exact: true }).fill('/queue/elsewhere');
  await answer('Move');
  await tab.getByText('3 messages moved to /queue/elsewhere.').waitFor();
  await visit(tab, place('/queue/elsewhere'));
  await tab.getByText('three').waitFor();
  await button(tab, 'Purge').click();
  await tab.getByRole('dialog').waitFor();
  await tab.keyboard.press('Escape');
  await tab.getByRole('dialog').waitFor({ state: 'detached' });
  await button(tab, 'Purge').click();
  await answer('Remove 3 messages');
  await tab.getByText('3 messages removed.').waitFor();
  await button(tab, 'Delete').click();
  await answer('Delete');
  await tab.getByText('/queue/elsewhere is gone.').waitFor();
});

test('Console: O_11 the frames of a connection are seen as they pass, secrets masked', limit, async (t) => {
  const { broker, open } = await startConsole(t);
  const client = await connectClient(broker, { 'client-id': 'traced' });
  const tab = await open('connections');
  await tab.getByRole('row').filter({ hasText: 'traced' }).getByRole('link').click();
  await tab.getByLabel('with bodies').check();
  await button(tab, 'Start').click();
  await tab.getByText('Waiting for a frame').waitFor();
  await publish(client, '/queue/traced', 'the body', { passcode: 'not-to-be-seen' });
  const line = tab.locator('.frames summary').filter({ hasText: 'SEND' });
  await line.click();
  await tab.locator('pre.body').getByText('the body').waitFor();
  assert.ok(!(await tab.content()).includes('not-to-be-seen'));
  await button(tab, 'Stop').click();
  await button(tab, 'Start').waitFor();
});

test('Console: O_11 one of 3,000 connections is found', limit, async (t) => {
  const { broker, open } = await startConsole(t);
  for (let i = 0; i < 3000; i += 100) {
    const some = Array.from({ length: 100 }, (_, k) => connectClient(broker, { 'client-id': `device-${i + k}-end` }));
    for (const client of await Promise.all(some)) t.after(() => client.close());
  }
  const tab = await open('connections');
  await until(tab, () => Number(document.querySelector('[data-total]')?.textContent.replace(',', '')) >= 3000);
  assert.ok((await tab.getByRole('row').count()) <= 101);
  await tab.keyboard.press('n');
  await tab.getByText(/^101–200 of/).waitFor();
  await tab.keyboard.press('/');
  await tab.keyboard.type('DEVICE-2718-');
  await until(tab, () => document.querySelector('[data-total]')?.textContent === '1');
  await tab.getByText('device-2718-end').waitFor();
  await tab.getByRole('searchbox').fill('nobody has this name');
  await tab.getByText('Nothing matches').waitFor();
  await button(tab, 'Show all').click();
  await tab.getByText(/^1–100 of/).waitFor();
  assert.equal(await tab.getByRole('searchbox').inputValue(), '');
});

test('Console: S_WEB_08_CVE_2021_32718_names_that_look_like_markup_are_text', limit, async (t) => {
  const { broker, open } = await startConsole(t);
  const markup = '<script>window.hit=1</script><img src=x onerror=window.hit=1>';
  const tab = await open();
  await tab.getByText('live', { exact: true }).waitFor();
  const elements = () => tab.locator('main script, main img').count();
  const isText = async (where) => {
    await tab.locator('main').getByText(markup).first().waitFor();
    assert.equal(await tab.evaluate(() => window.hit), undefined, where);
    assert.equal(await elements(), 0, where);
  };
  const client = await connectClient(broker, { 'client-id': markup });
  const intruder = await connectClient(broker);
  intruder.send(frame('SEND', { destination: `/topic/$SYS.${markup}` }, 'x'));
  await tab.locator('.events').getByText(markup).waitFor();
  await isText('events');
  await subscribe(client, `/topic/${markup}`);
  await publish(client, `/queue/${markup}`, markup, { name: markup, 'content-type': 'text/html' });
  await publish(client, `/queue/${markup}`, markup, { 'x-delay': '600000' });
  const lists = ['connections', 'destinations', 'subscriptions', 'scheduled'];
  for (const path of [...lists, place(`/queue/${markup}`), place(`/topic/${markup}`)]) {
    await visit(tab, path);
    await isText(path);
  }
  await visit(tab, place(`/queue/${markup}`));
  await tab.locator('.frames summary').first().click();
  assert.equal(await tab.locator('pre.body').textContent(), markup);
  await isText('a message');
  await visit(tab, 'connections');
  await tab.getByRole('row').filter({ hasText: markup }).getByRole('link').click();
  await tab.getByLabel('with bodies').check();
  await button(tab, 'Start').click();
  await tab.getByText('Waiting for a frame').waitFor();
  await publish(client, '/queue/traced', markup, { name: markup });
  await tab.locator('.frames summary').filter({ hasText: 'SEND' }).click();
  assert.equal(await tab.locator('pre.body').textContent(), markup);
  await isText('a trace');
  await tab.evaluate(() => document.querySelector('main').insertAdjacentHTML('beforeend', '<img alt="">'));
  assert.equal(await elements(), 1, 'control: an element would have been seen');
});

test('Console: S_WEB_08 the policy stops inline script and foreign hosts (control)', limit, async (t) => {
  const { open, crimes } = await startConsole(t, { expected: /Content Security Policy|Refused|violates/ });
  const tab = await open();
  await tab.evaluate(() => {
    const script = document.createElement('script');
    script.textContent = 'window.hit = 1';
    document.body.append(script);
    document.body.insertAdjacentHTML('beforeend', '<p style="color: red">inline</p>');
    return fetch('http://foreign.localhost:9/').catch(() => {});
  });
  assert.equal(await tab.evaluate(() => window.hit), undefined);
  await until(tab, () => window.found >= 3);
  const found = crimes.splice(0).join('\n');
  for (const directive of ['script-src', 'style-src', 'connect-src']) assert.match(found, new RegExp(directive));
});

test('Console: O_11 S_WEB_08 a token that may only read changes nothing', limit, async (t) => {
  const { broker, open } = await startConsole(t, { expected: /403/ });
  const client = await connectClient(broker);
  await publish(client, '/queue/kept', 'x');
  const tab = await open(place('/queue/kept'), readToken);
  await tab.getByText('read-only').waitFor();
  const isOff = async (name) => {
    assert.ok(await button(tab, name).isDisabled(), name);
    assert.match(await button(tab, name).getAttribute('title'), /lacks the scope admin/, name);
  };
  for (const name of ['Move', 'Purge', 'Delete']) await isOff(name);
  await visit(tab, `${place('/queue/kept')}?tab=live`);
  await tab.getByLabel('Body').waitFor();
  for (const name of ['Publish', 'Subscribe']) await isOff(name);
  await visit(tab, 'nodes');
  assert.ok(await button(tab, 'Drain').isDisabled());
  await visit(tab, 'logs');
  assert.ok(await tab.getByLabel('Written from').isDisabled());
  await visit(tab, 'connections');
  await tab.getByRole('table').getByRole('link').first().click();
  assert.ok(await tab.getByRole('button', { name: 'Kick' }).isDisabled());
});

test('Console: O_11 no page is wider than a phone of 360 px', limit, async (t) => {
  const { broker, open } = await startConsole(t, { browser: { viewport: { width: 360, height: 740 } } });
  const long = `/queue/${'a-name-without-end.'.repeat(8)}x`;
  const client = await connectClient(broker, { 'client-id': 'c'.repeat(120) });
  await subscribe(client, `/topic/${'t'.repeat(150)}`);
  await publish(client, long, 'b'.repeat(5000), { long: 'h'.repeat(2000) });
  const tab = await open();
  for (const path of [...pages, place(long), `${place(long)}?tab=live`, `${place(long)}?tab=settings`]) {
    await visit(tab, path);
    await tab.locator('.loading').first().waitFor({ state: 'detached' });
    const wider = await tab.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    assert.ok(wider <= 0, `${path} is ${wider} px too wide`);
  }
  await button(tab, 'Menu').click();
  await tab.getByRole('link', { name: 'Logs' }).click();
  await tab.getByRole('heading', { name: 'Logs' }).waitFor();
});

test('Console: O_11 the keyboard reaches every page and part', limit, async (t) => {
  const { open } = await startConsole(t);
  const tab = await open();
  const keys = { c: 'Connections', d: 'Destinations', s: 'Subscriptions', p: 'Policies', n: 'Node', l: 'Logs', m: 'Scheduled', o: 'Overview' };
  for (const [key, title] of Object.entries(keys)) {
    await tab.keyboard.press('g');
    await tab.keyboard.press(key);
    await tab.locator('h1').getByText(title, { exact: true }).waitFor();
  }
  await tab.keyboard.press('?');
  await tab.getByRole('dialog', { name: 'Keys' }).waitFor();
  await tab.keyboard.press('Escape');
  await tab.getByRole('dialog', { name: 'Keys' }).waitFor({ state: 'detached' });
  await visit(tab, 'destinations');
  const reached = [];
  for (let i = 0; i < 40; i++) {
    await tab.keyboard.press('Tab');
    reached.push(
      await tab.evaluate(() => {
        const element = document.activeElement;
        const { outlineStyle, outlineWidth } = getComputedStyle(element);
        const isSeen = outlineStyle !== 'none' && outlineWidth !== '0px';
        return element === document.body ? '' : `${isSeen ? '' : 'unseen '}${element.getAttribute('aria-label') ?? element.textContent.trim()}`;
      }),
    );
  }
  for (const name of ['Connections', 'Queues', 'Name', 'Queue']) assert.ok(reached.includes(name), `${name} of ${reached}`);
  assert.deepEqual(reached.filter((name) => name.startsWith('unseen')), []);
});

test('Console: O_11 it says that the broker is gone, and comes back with it', limit, async (t) => {
  const { broker, open } = await startConsole(t, { expected: /WebSocket connection to|ERR_|Failed to load resource/ });
  const tab = await open();
  await tab.getByText('live', { exact: true }).waitFor();
  await broker.kill();
  await tab.getByRole('alert').getByText('The broker does not answer.').waitFor();
  await broker.restart();
  await tab.getByText('The broker is back.').waitFor();
  await tab.getByText('live', { exact: true }).waitFor();
  await tab.getByText('The broker does not answer.').waitFor({ state: 'detached' });
});

test('Console: O_11 dark and light follow the system, then the switch', limit, async (t) => {
  const { open } = await startConsole(t, { browser: { colorScheme: 'dark' } });
  const tab = await open();
  const background = () => tab.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await background();
  await tab.emulateMedia({ colorScheme: 'light' });
  const isDark = (color) => getComputedStyle(document.body).backgroundColor === color;
  await tab.waitForFunction((color) => getComputedStyle(document.body).backgroundColor !== color, dark);
  await tab.keyboard.press('t');
  await tab.waitForFunction(isDark, dark);
});

test('Console: O_11 pictures', { ...limit, skip: !process.env.CONSOLE_PICTURES }, async (t) => {
  const { config, takePictures } = await import('./support/console_pictures.mjs');
  const browser = { viewport: { width: 1280, height: 800 }, colorScheme: 'light' };
  await takePictures(t, await startConsole(t, { browser, config }), (name) => join(process.env.CONSOLE_PICTURES, name));
});
