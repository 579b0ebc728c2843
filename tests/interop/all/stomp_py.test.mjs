// The newest stomp.py that Debian does not have, from PyPI into a virtual environment, over TCP and WebSocket.
// The facts are those of languages/stomp_py.py.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { programTest } from '../support/program.mjs';

const packages = ['stomp.py==8.2.0', 'websocket-client==1.9.2', 'docopt==0.6.2'];
const quiet = { stdio: 'pipe' };
const folder = mkdtempSync(join(tmpdir(), 'stampede-python-'));
after(() => rmSync(folder, { recursive: true, force: true }));

execFileSync('/usr/bin/python3', ['-m', 'venv', folder], quiet);
execFileSync(join(folder, 'bin/pip'), ['install', '--quiet', '--disable-pip-version-check', ...packages], quiet);

const python = join(folder, 'bin/python');
const script = fileURLToPath(new URL('../languages/stomp_py.py', import.meta.url));

for (const version of ['1.2', '1.1', '1.0']) programTest(`stomp.py 8.2, STOMP ${version}`, [python, script, version]);
programTest('stomp.py 8.2 over WebSocket', [python, script, '1.2', '--web-socket']);
