// The programs that pages of docs/ show, compiled and run as those pages say: C++, JavaScript in Node and in Chromium,
// Perl, Python, Ruby.
import { fileURLToPath } from 'node:url';
import { programTest } from './support/program.mjs';

const runner = fileURLToPath(new URL('languages/pages.py', import.meta.url));

for (const page of ['start', 'connect/cpp', 'connect/javascript', 'connect/other', 'connect/python', 'faq']) {
  programTest(`Page ${page}`, ['/usr/bin/python3', '-B', runner, `${page}.md`]);
}
