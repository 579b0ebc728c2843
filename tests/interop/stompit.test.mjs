// stompit, over TCP and TLS, with every escape that STOMP 1.2 has.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stompitAdapter } from './support/adapter_stompit.mjs';
import { startBroker } from './support/broker.mjs';
import { makeCertificate, tlsConfig } from './support/certificate.mjs';
import { commonScript } from './support/common_script.mjs';

commonScript('stompit 1.0.0', stompitAdapter, { versions: ['1.2', '1.1', '1.0'] });

test('stompit 1.0.0: P_TCP_01 the same over TLS', { timeout: 60_000 }, async (t) => {
  const broker = await startBroker(t, { config: tlsConfig(makeCertificate(t)) });
  assert.match(broker.tcpUrl, /^stomps:/);
  const session = await stompitAdapter(broker);
  const inbox = await session.subscribe('/queue/tls', { ack: 'client' });
  for (const body of ['secret', 'x'.repeat(1000 * 1024)]) {
    session.send('/queue/tls', body);
    const message = await inbox.next();
    assert.ok(message.body === body);
    message.ack();
  }
  await session.disconnect();
});
