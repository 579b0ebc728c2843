// The programs that pages of docs/ show, compiled and run as those pages say: C++, JavaScript in Node and in Chromium,
// Perl, Python, Ruby. Those that promise to come back do.
import { noReconnectTest, pageTest, reconnectTest } from './support/pages.mjs';

for (const page of ['start', 'connect/cpp', 'connect/javascript', 'connect/other', 'connect/python', 'faq']) pageTest(page);

reconnectTest('connect/cpp', 'Boost.Beast');
reconnectTest('connect/javascript', 'rx-stomp');
reconnectTest('connect/javascript', 'React Native');
reconnectTest('connect/python', 'stomp.py');
noReconnectTest('connect/python', 'websocket-client');
