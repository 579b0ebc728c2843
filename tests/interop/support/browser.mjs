// Headless Chromium with an empty profile, for one test. What a page logs as an error fails the test.
// Nothing is downloaded: the browser is the system's, found in PATH or named by CHROMIUM.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { patience } from './waiting.mjs';

const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--ignore-certificate-errors',
];

/** A browser for the test `t`; `page(url, expected)` opens a tab whose other errors fail the test. */
export async function startBrowser(t, options = {}) {
  const profile = mkdtempSync(join(tmpdir(), 'stampede-profile-'));
  const executablePath = process.env.CHROMIUM ?? 'chromium';
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: executablePath.includes('/') ? executablePath : which(executablePath),
    headless: true,
    args: flags,
    ...options,
  });
  context.setDefaultTimeout(patience);
  const complaints = [];
  t.after(async () => {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
    assert.deepEqual(complaints, [], 'errors of the pages');
  });
  const page = async (url, expected = /^$/) => {
    const tab = await context.newPage();
    const complain = (text) => expected.test(text) || complaints.push(text);
    tab.on('pageerror', (error) => complain(String(error)));
    tab.on('console', (message) => message.type() === 'error' && complain(message.text()));
    await tab.goto(url);
    return tab;
  };
  return { context, page };
}

function which(name) {
  return execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
}
