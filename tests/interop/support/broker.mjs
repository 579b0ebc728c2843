// A broker of its own for every test: the real binary, free ports, killed when the test ends.
// A broker that crashes, or that does not end cleanly on SIGTERM, fails the test that started it.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bounded, deferred } from './waiting.mjs';

const binary = process.env.STAMPEDE_BINARY;
const free = '127.0.0.1:0';

/** One life of `stampede serve`. */
export class Broker {
  #folder = mkdtempSync(join(tmpdir(), 'stampede-interop-'));
  #options;
  #process;
  #exit;
  #output = '';

  constructor(options) {
    this.#options = options;
  }

  async start() {
    assert.ok(binary, 'STAMPEDE_BINARY names the program under test');
    const file = join(this.#folder, 'ports.json');
    rmSync(file, { force: true });
    const watcher = watch(this.#folder);
    this.#process = spawn(binary, ['serve', ...this.#arguments(), '--ports-file', file], {
      env: { ...process.env, ...this.#options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const pipe of [this.#process.stdout, this.#process.stderr]) {
      pipe.setEncoding('utf8').on('data', (text) => (this.#output += text));
    }
    this.#exit = once(this.#process, 'exit');
    try {
      await bounded(Promise.race([this.#readiness(watcher, file), this.#earlyEnd()]), 'the ports file');
    } finally {
      watcher.close();
    }
    this.#read(JSON.parse(readFileSync(file, 'utf8')));
    return this;
  }

  /** SIGTERM drains; the exit status is part of every test. */
  async stop() {
    if (this.#process.exitCode === null && this.#process.signalCode === null) {
      this.#process.kill('SIGTERM');
      const [status, signal] = await bounded(this.#exit, 'the end of the broker').catch(() => {
        this.#process.kill('SIGKILL');
        return ['none', 'it hung'];
      });
      assert.ok(status === 0, `the broker ended with status ${status}, signal ${signal}:\n${this.#output}`);
    } else {
      const hasEnded = this.#process.exitCode === 0 || this.#process.signalCode === 'SIGKILL';
      assert.ok(hasEnded, `the broker crashed:\n${this.#output}`);
    }
  }

  /** The end that nobody can prepare for. */
  async kill() {
    this.#process.kill('SIGKILL');
    await bounded(this.#exit, 'the end of the broker');
  }

  /** Starts again where it listened before. */
  async restart() {
    const address = (url) => new URL(url.replace(/^[a-z]+:/, 'http:')).host;
    const [ws, tcp, admin] = [this.ws, this.tcpUrl, this.admin].map(address);
    Object.assign(this.#options, { ws, tcp, admin });
    return this.start();
  }

  /** Everything that the broker has written. */
  get log() {
    return this.#output;
  }

  /** Waits until the broker has written something like `pattern`. */
  async logged(pattern) {
    const found = deferred();
    const look = () => pattern.test(this.#output) && found.resolve();
    this.#process.stderr.on('data', look);
    look();
    await bounded(found.promise, `a log line like ${pattern}`);
  }

  /** What a test in another language is told. */
  get environment() {
    return { STAMPEDE_WS: this.ws, STAMPEDE_TCP: `${this.tcp.host}:${this.tcp.port}` };
  }

  #arguments() {
    const { args = [], config, ws = free, tcp = free, admin = free } = this.#options;
    if (config === undefined) return ['--ws', ws, '--tcp', tcp, '--admin', admin, ...args];
    const file = join(this.#folder, 'stampede.toml');
    writeFileSync(file, config);
    return ['--config', file, '--admin', admin, ...args];
  }

  #readiness(watcher, file) {
    return new Promise((resolve) => {
      watcher.on('change', () => existsSync(file) && resolve());
      if (existsSync(file)) resolve();
    });
  }

  async #earlyEnd() {
    await this.#exit;
    throw new Error(`the broker ended before it was ready:\n${this.#output}`);
  }

  #read(addresses) {
    this.ws = addresses.ws;
    this.tcpUrl = addresses.tcp;
    this.admin = addresses.admin;
    this.http = addresses.ws?.replace(/^ws/, 'http').replace(/\/ws$/, '');
    if (!addresses.tcp) return;
    const { hostname, port } = new URL(addresses.tcp.replace(/^stomps?:/, 'http:'));
    this.tcp = { host: hostname, port: Number(port) };
  }

  remove() {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** A broker for the test `t`: `args` and `env` go to `stampede serve`; `config` is TOML with its own listeners. */
export async function startBroker(t, options = {}) {
  const broker = new Broker({ ...options });
  t.after(async () => {
    try {
      await broker.stop();
    } finally {
      broker.remove();
    }
  });
  return broker.start();
}
