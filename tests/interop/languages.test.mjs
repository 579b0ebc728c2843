// Clients that Debian packages, over TCP: Python's stomp.py, Ruby's stomp, Perl's Net::Stomp, in each version.
// The facts are in languages/, in the language of the client.
import { fileURLToPath } from 'node:url';
import { programTest } from './support/program.mjs';

const script = (name) => fileURLToPath(new URL(`languages/${name}`, import.meta.url));

for (const version of ['1.2', '1.1', '1.0']) {
  programTest(`stomp.py, STOMP ${version}`, ['/usr/bin/python3', script('stomp_py.py'), version]);
  programTest(`Ruby stomp, STOMP ${version}`, ['ruby', script('ruby_stomp.rb'), version]);
  programTest(`Net::Stomp, STOMP ${version}`, ['perl', script('net_stomp.pl'), version]);
}
