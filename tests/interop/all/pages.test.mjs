// The programs of pages of docs/ that need packages from Maven Central and the Go module proxy.
import { fileURLToPath } from 'node:url';
import { programTest } from '../support/program.mjs';

const runner = fileURLToPath(new URL('../languages/pages.py', import.meta.url));

for (const page of ['connect/go', 'connect/java', 'connect/spring']) {
  programTest(`Page ${page}`, ['/usr/bin/python3', '-B', runner, `${page}.md`], { limit: { timeout: 600_000 } });
}
