// A self-signed certificate for localhost, made when it is needed and gone with the test.
// Its key is of no use to anybody: it lives in a temporary folder for seconds.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Paths of a fresh certificate and its key. */
export function makeCertificate(t) {
  const folder = mkdtempSync(join(tmpdir(), 'stampede-tls-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const files = { certificate: join(folder, 'certificate.pem'), key: join(folder, 'key.pem') };
  const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1';
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const out = ['-keyout', files.key, '-out', files.certificate];
  const subject = ['-subj', '/CN=localhost', '-addext', names];
  execFileSync('openssl', ['req', '-x509', ...curve, ...subject, ...out], { stdio: 'ignore' });
  return files;
}

/** A configuration whose WebSocket and TCP listeners speak TLS on free ports. */
export function tlsConfig({ certificate, key }) {
  const listener = (kind) => `[[listener]]\nkind = "${kind}"\naddress = "127.0.0.1:0"\ntls = true\n`;
  return `[tls]\ncertificate = "${certificate}"\nkey = "${key}"\n${listener('ws')}${listener('tcp')}`;
}
