// Two instances of a Spring Boot application on one broker: users of one reach users of the other, the broker ends in
// between, and nothing of the sessions stays behind. The application is spring_app/src/main/java/interop/App.java.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client } from '@stomp/stompjs';
import WebSocket from 'ws';
import { startBroker } from '../support/broker.mjs';
import { Inbox, bounded, deferred } from '../support/waiting.mjs';

const folder = mkdtempSync(join(tmpdir(), 'stampede-spring-app-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const goals = ['compile', 'dependency:copy-dependencies', `-DoutputDirectory=${join(folder, 'libraries')}`];
const cwd = fileURLToPath(new URL('spring_app', import.meta.url));
execFileSync('mvn', ['--batch-mode', '--quiet', `-Doutput=${folder}`, ...goals], { cwd, stdio: ['ignore', 2, 2] });
const path = [join(folder, 'classes'), join(folder, 'libraries', '*')].join(':');

// What docs/clients.md advises for applications with user destinations, but durable, so that what stays behind can be
// seen in the store, and with a short life for queues whose sessions the crash has ended.
const config = `
[storage]
directory = ${JSON.stringify(join(folder, 'data'))}
allow_unsafe_filesystem = true
disk_floor = "1MiB"

[[policy]]
match = "/queue/*-user*"
auto_delete = true
idle_life = "1s"
`;

/** An instance of the application; `says` awaits its next line. */
class Instance {
  #lines = new Inbox('line of the application');

  constructor(t, broker) {
    const env = { ...process.env, ...broker.environment, SERVER_PORT: '0', SPRING_MAIN_BANNERMODE: 'off' };
    this.process = spawn('java', ['-Xmx256m', '-XX:TieredStopAtLevel=1', '-cp', path, 'interop.App'], {
      env,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    this.ended = new Promise((resolve) => this.process.on('exit', resolve));
    t.after(() => this.process.kill('SIGKILL'));
    createInterface({ input: this.process.stdout }).on('line', (line) => {
      if (/^(port|broker) /.test(line)) this.#lines.push(line);
    });
  }

  /** The relay connects before the server listens. */
  async start() {
    const lines = [await this.#next(), await this.#next()];
    assert.ok(lines.includes('broker up'), lines.join());
    this.url = `ws://127.0.0.1:${lines.find((line) => line.startsWith('port')).slice(5)}/ws`;
    return this;
  }

  async says(expected) {
    assert.equal(await this.#next(), expected);
  }

  async stop() {
    this.process.kill('SIGTERM');
    await bounded(this.ended, 'the end of the application');
  }

  #next() {
    return this.#lines.next();
  }
}

/** A browser of `name`: stompjs, which comes back by itself and then subscribes anew. */
class Browser {
  mail = new Inbox('mail');
  #online = deferred();
  #receipts = 0;

  constructor(t, instance, name) {
    this.client = new Client({
      webSocketFactory: () => (this.socket = new WebSocket(`${instance.url}?${name}`, ['v12.stomp'])),
      reconnectDelay: 200,
      onConnect: async () => {
        await this.subscribe('/user/queue/mail', this.mail);
        this.#online.resolve();
      },
      onWebSocketClose: () => (this.#online = deferred()),
    });
    this.client.activate();
    t.after(() => this.client.deactivate({ force: true }));
  }

  /** Subscribed to its mail; waits for whatever became of the connection meanwhile. */
  async online() {
    for (let current; current !== this.#online; ) {
      current = this.#online;
      await bounded(current.promise, 'the connection', 40_000);
    }
    return this;
  }

  subscribe(destination, inbox) {
    return this.#confirmed((receipt) =>
      this.client.subscribe(destination, (message) => inbox.push(message.body), { receipt }),
    );
  }

  publish(destination, body) {
    return this.#confirmed((receipt) => this.client.publish({ destination, body, headers: { receipt } }));
  }

  send(destination, body) {
    this.client.publish({ destination, body });
  }

  #confirmed(act) {
    const receipt = `r-${++this.#receipts}`;
    const done = deferred();
    this.client.watchForReceipt(receipt, done.resolve);
    act(receipt);
    return bounded(done.promise, `receipt ${receipt}`);
  }
}

async function corresponds(anna, bob) {
  anna.send('/app/mail/bob', 'through the application');
  assert.equal(await bob.mail.next(), 'anna: through the application');
  anna.send('/user/bob/queue/mail', 'from browser to browser');
  assert.equal(await bob.mail.next(), 'from browser to browser');
  bob.send('/app/mail/anna', 'and back');
  assert.equal(await anna.mail.next(), 'bob: and back');
}

test('Spring application: two instances, user destinations, a broker that ends in between', { timeout: 240_000 }, async (t) => {
  const file = join(folder, 'stampede.toml');
  writeFileSync(file, config);
  const broker = await startBroker(t, { args: ['--config', file] });
  const instances = [new Instance(t, broker), new Instance(t, broker)];
  for (const instance of instances) await instance.start();
  const [anna, bob] = ['anna', 'bob'].map((name, i) => new Browser(t, instances[i], name));

  await t.test('P_DEST_01 P_DEST_02 a user of one instance reaches a user of the other', async () => {
    await anna.online();
    await bob.online();
    await corresponds(anna, bob);
  });

  await t.test('P_RCPT_02 P_ERR_06 after the broker was killed the relay comes back, and so do its users', async () => {
    await anna.publish('/queue/orders', 'kept');
    await anna.publish('/queue/mail-userlong-gone', 'for nobody');
    await broker.kill();
    for (const instance of instances) await instance.says('broker down');
    await broker.restart();
    for (const instance of instances) await instance.says('broker up');
    await anna.online();
    await bob.online();
    await corresponds(anna, bob);
    const orders = new Inbox('order');
    await bob.subscribe('/queue/orders', orders);
    assert.equal(await orders.next(), 'kept');
  });

  await t.test('P_SUB_14 P_DEST_10 queues of sessions end with them, and what came too late goes, too', async () => {
    for (let i = 0; i < 20; ++i) {
      const guest = await new Browser(t, instances[i % 2], `guest-${i}`).online();
      anna.send(`/app/mail/guest-${i}`, 'welcome');
      assert.equal(await guest.mail.next(), 'anna: welcome');
      await guest.client.deactivate({ force: i % 4 < 2 });
    }
    for (const { client } of [anna, bob]) await client.deactivate();
    for (const instance of instances) await instance.stop();
    await broker.stop();
    const check = execFileSync(process.env.STAMPEDE_BINARY, ['check-store', '--json', join(folder, 'data')]);
    assert.deepEqual(JSON.parse(check).queues.map(({ name }) => name).filter((name) => name.includes('-user')), []);
  });
});
