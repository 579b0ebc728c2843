// The programs of pages of docs/ that need packages from Maven Central and the Go module proxy.
import { pageTest, reconnectTest } from '../support/pages.mjs';

for (const page of ['connect/go', 'connect/java', 'connect/spring']) pageTest(page);

reconnectTest('connect/go', 'go-stomp');
reconnectTest('connect/spring', "Spring's client");
