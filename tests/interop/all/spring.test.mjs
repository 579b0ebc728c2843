// Spring 6 from Maven Central: its STOMP clients over WebSocket and TCP, and its broker relay.
// The facts are in spring/src/main/java/Interop.java.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { programTest } from '../support/program.mjs';

const folder = mkdtempSync(join(tmpdir(), 'stampede-spring-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const goals = ['compile', 'dependency:copy-dependencies', `-DoutputDirectory=${join(folder, 'libraries')}`];
const cwd = fileURLToPath(new URL('spring', import.meta.url));
execFileSync('mvn', ['--batch-mode', '--quiet', `-Doutput=${folder}`, ...goals], { cwd, stdio: ['ignore', 2, 2] });

const path = [join(folder, 'classes'), join(folder, 'libraries', '*')].join(':');
programTest('Spring 6', ['java', '-cp', path, 'Interop']);
