// The example page of docs/examples as its users see it: two tabs of one browser on one broker.
// With SCREENSHOTS=FOLDER it also leaves pictures there, for the eye.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startBroker } from './support/broker.mjs';
import { startBrowser } from './support/browser.mjs';

const limit = { timeout: 90_000 };
const folder = fileURLToPath(new URL('../../docs/examples', import.meta.url));
const lost = /WebSocket connection to .* failed/;

async function start(t, options = {}) {
  const { page, context } = await startBrowser(t, options.browser);
  const broker = await startBroker(t, { ...options, args: ['--http-dir', options.folder ?? folder] });
  const requests = [];
  context.on('request', (request) => requests.push(request.url()));
  const open = async () => {
    const tab = await page(`${broker.http}/`, lost);
    await online(tab);
    return tab;
  };
  return { broker, page, open, requests };
}

const state = (tab, name) => tab.waitForSelector(`#state[data-state=${name}]`);
const online = (tab) => state(tab, 'online');

async function say(tab, text) {
  await tab.fill('#text', text);
  await tab.press('#text', 'Enter');
}

const heard = (tab, text) => tab.waitForSelector(`#messages .entry-text >> text="${text}"`);

async function picture(tab, name) {
  if (process.env.SCREENSHOTS) await tab.screenshot({ path: join(process.env.SCREENSHOTS, `${name}.png`), fullPage: true });
}

test('Example page: P_DEST_01 two tabs chat and draw each other', limit, async (t) => {
  const { broker, open, requests } = await start(t);
  const [one, two] = [await open(), await open()];
  await say(one, 'Anybody there?');
  await heard(one, 'Anybody there?');
  await heard(two, 'Anybody there?');
  await say(two, '<b>Here</b> & well, Ω');
  await heard(one, '<b>Here</b> & well, Ω');
  for (const tab of [one, two]) {
    await tab.waitForFunction(() => document.getElementById('pages').textContent === '2');
    await tab.waitForFunction(() => Number(document.getElementById('rate').textContent) >= 10);
    await tab.waitForFunction(() => /^\d+\.\d ms$/.test(document.getElementById('round-trip').textContent));
    assert.equal(await tab.locator('#legend li').count(), 2);
  }
  await picture(one, 'two-tabs');
  const foreign = requests.filter((url) => !url.startsWith(broker.http));
  assert.deepEqual(foreign, [], 'everything comes from the broker');
});

test('Example page: a slider moves the line in the other tab', limit, async (t) => {
  const { open } = await start(t);
  const [one, two] = [await open(), await open()];
  await one.uncheck('#wander');
  await one.fill('#level', '100');
  const name = await one.inputValue('#name');
  await two.waitForFunction(
    (expected) =>
      [...document.querySelectorAll('#legend li')].some(({ textContent }) => textContent === `${expected} 100`),
    name,
  );
  await one.uncheck('#sending');
  await two.waitForFunction(() => document.getElementById('pages').textContent === '1');
});

test('Example page: P_ERR_06 says that the broker is gone, and comes back with it', limit, async (t) => {
  const { broker, open } = await start(t);
  const tab = await open();
  await broker.kill();
  await state(tab, 'connecting');
  await tab.waitForSelector('#trouble:not([hidden])');
  assert.match(await tab.textContent('#trouble-text'), /Is the broker running\?/);
  assert.ok(await tab.isDisabled('#text'));
  await picture(tab, 'lost');
  await broker.restart();
  await online(tab);
  assert.ok(await tab.isHidden('#trouble'));
  await say(tab, 'Back again');
  await heard(tab, 'Back again');
});

test('Example page: P_ERR_03 P_ERR_08 shows what the broker refuses, and waits for the user', limit, async (t) => {
  const { open } = await start(t, { env: { STAMPEDE_LIMITS__FRAME: '512B' } });
  const tab = await open();
  await say(tab, 'x'.repeat(500));
  await state(tab, 'offline');
  assert.match(await tab.textContent('#trouble-title'), /frame-too-large/);
  assert.match(await tab.textContent('#trouble-text'), /\S+ .+\n.+/);
  await picture(tab, 'refused');
  await tab.click('#toggle');
  await online(tab);
});

test('Example page: P_RCPT_06 disconnects and connects at a click', limit, async (t) => {
  const { broker, open } = await start(t);
  const tab = await open();
  await tab.click('#toggle');
  await state(tab, 'offline');
  assert.ok(await tab.isHidden('#trouble'));
  await tab.click('#toggle');
  await online(tab);
  await tab.click('#toggle');
  await state(tab, 'offline');
  await broker.stop();
  assert.doesNotMatch(broker.log, /"level":"(warn|error)"/);
});

test('Example page: says what to do when its packages are not installed', limit, async (t) => {
  const bare = mkdtempSync(join(tmpdir(), 'stampede-page-'));
  t.after(() => rmSync(bare, { recursive: true, force: true }));
  cpSync(folder, bare, { recursive: true, filter: (path) => !path.endsWith('node_modules') });
  const { broker, page } = await start(t, { folder: bare });
  const tab = await page(`${broker.http}/`, /404/);
  await tab.waitForSelector('#trouble:not([hidden])');
  assert.match(await tab.textContent('#trouble-text'), /npm ci/);
});

for (const colorScheme of ['light', 'dark']) {
  test(`Example page: fits a phone, ${colorScheme}`, limit, async (t) => {
    const { open } = await start(t, { browser: { viewport: { width: 360, height: 740 }, colorScheme } });
    const tab = await open();
    await say(tab, `A long word that has to break: ${'stampede'.repeat(20)}`);
    await tab.waitForSelector('#messages .entry');
    const { scrollWidth, innerWidth } = await tab.evaluate(() => ({
      scrollWidth: document.documentElement.scrollWidth,
      innerWidth,
    }));
    assert.ok(scrollWidth <= innerWidth, `${scrollWidth} wide on a screen of ${innerWidth}`);
    await picture(tab, `phone-${colorScheme}`);
  });
}
