// go-stomp over TCP, from the Go module proxy. Its facts are in go_stomp/main.go.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { programTest } from '../support/program.mjs';

const folder = mkdtempSync(join(tmpdir(), 'stampede-go-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const program = join(folder, 'go_stomp');
execFileSync('go', ['build', '-o', program, '.'], { cwd: fileURLToPath(new URL('go_stomp', import.meta.url)), stdio: 'inherit' });

for (const version of ['1.2', '1.1']) programTest(`go-stomp, STOMP ${version}`, [program, version]);
