// Programs in other languages: each prints "ok TITLE" or "not ok TITLE: REASON" for what it found.
// The program gets a broker of its own and its addresses as STAMPEDE_WS and STAMPEDE_TCP.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { startBroker } from './broker.mjs';

const usual = { timeout: 120_000 };

/** Registers a test that runs `command` and has each of its lines as a test of its own. */
export function programTest(title, command, { limit = usual, ...options } = {}) {
  test(title, limit, async (t) => {
    const broker = await startBroker(t, options);
    const { status, lines, errors } = await run(command, { ...process.env, ...broker.environment }, t);
    assert.ok(lines.length > 0, `${command.join(' ')} said nothing, status ${status}:\n${errors}`);
    for (const line of lines) {
      const [, failed, fact] = /^(not )?ok (.*)$/.exec(line);
      await t.test(`${title}: ${fact}`, () => assert.ok(!failed, `${fact}\n${errors}`));
    }
    assert.equal(status, 0, errors);
  });
}

async function run([program, ...args], env, t) {
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (output += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (errors += text));
  const [status] = await once(child, 'close');
  return { status, errors, lines: output.split('\n').filter((line) => /^(not )?ok /.test(line)) };
}
