// The programs of pages of docs/, by languages/pages.py.
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { programTest } from './program.mjs';

const runner = fileURLToPath(new URL('../languages/pages.py', import.meta.url));
const limit = { timeout: 600_000 };
const command = (...args) => ['/usr/bin/python3', '-B', runner, ...args];

/** Every program of docs/PAGE.md does what the page says. */
export function pageTest(page) {
  programTest(`Page ${page}`, command(`${page}.md`), { limit });
}

/** The program of a section comes back after its first connection was lost. */
export function reconnectTest(page, section) {
  programTest(`Page ${page}, reconnecting`, command('--late', `${page}.md`, section), { limit });
}

/** One that does not is found out. */
export function noReconnectTest(page, section) {
  test(`Page ${page}, ${section} does not come back`, limit, () => {
    const [program, ...args] = command('--late', `${page}.md`, section);
    const { stdout } = spawnSync(program, args, { encoding: 'utf8' });
    assert.match(stdout, /^not ok /);
  });
}
