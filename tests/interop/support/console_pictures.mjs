// The pictures of docs/console.md: a broker with some life in it, looked at page by page.
// Whether the pages work is tested elsewhere; here nothing is asserted but that they are drawn.
import { connectClient, makeDeadLetter, place, publish, subscribe, visit } from './console.mjs';
import { frame } from './raw_client.mjs';

export const config = `
[[listener]]
kind = "ws"
address = "127.0.0.1:0"
[[listener]]
kind = "tcp"
address = "127.0.0.1:0"
[[policy]]
match = "/queue/orders.**"
max_messages = 10000
redelivery_delay = "1s"
[[policy]]
match = "/topic/chat.**"
history_messages = 100
`;

/** Clients that talk to each other until the test `t` ends. */
async function live(t, broker) {
  const rooms = ['chat.lobby', 'chat.support', 'prices.eur', 'prices.usd', 'sensors.hall'];
  const clients = [];
  for (let i = 0; i < 40; i++) {
    const client = await connectClient(broker, { 'client-id': `${['phone', 'browser', 'backend'][i % 3]}-${100 + i * 7}` });
    t.after(() => client.close());
    await subscribe(client, `/topic/${rooms[i % rooms.length]}`);
    clients.push(client);
  }
  await subscribe(clients[2], '/queue/orders.eu', { id: 'work', ack: 'client-individual' });
  let turn = 0;
  const timer = setInterval(() => {
    turn += 1;
    const busy = 10 + Math.round(6 * Math.sin(turn / 25));
    for (let k = 0; k < busy; k++) {
      const destination = `/topic/${rooms[(turn + k) % rooms.length]}`;
      clients[k].send(frame('SEND', { destination, 'content-type': 'application/json' }, `{"price": ${turn}, "from": "client ${k}"}`));
    }
    if (turn % 4 === 0) clients[1].send(frame('SEND', { destination: '/queue/emails' }, `{"to": "customer ${turn}"}`));
  }, 50);
  t.after(() => clearInterval(timer));
  for (let i = 1; i <= 6; i++) {
    await makeDeadLetter(broker, 'orders.eu2', JSON.stringify({ order: 4710 + i, customer: 'Zoë', total: `${i * 17}.90 EUR` }));
  }
  await publish(await connectClient(broker), '/queue/invoices', '{"invoice": 1}');
}

/** Clients that come and go, one of them refused, until the test `t` ends: events to look at. */
function comeAndGo(t, broker) {
  let visits = 0;
  const timer = setInterval(async () => {
    visits += 1;
    const client = await connectClient(broker);
    if (visits % 4 === 0) client.send(frame('SEND', { destination: '/topic/$SYS.alarm' }, '{}'));
    else client.close();
  }, 3000);
  t.after(() => clearInterval(timer));
}

/** Seconds in which the charts fill. */
const filling = Number(process.env.CONSOLE_FILLING ?? 70);

export async function takePictures(t, { broker, open }, fileOf) {
  await live(t, broker);
  const tab = await open();
  await tab.getByText('live', { exact: true }).waitFor();
  comeAndGo(t, broker);
  const picture = (name) => tab.screenshot({ path: fileOf(`console-${name}.png`) });
  await tab.waitForFunction((until) => Date.now() > until, Date.now() + filling * 1000, { polling: 500, timeout: 0 });
  await picture('overview');
  await visit(tab, place('/queue/DLQ.orders.eu2'));
  await tab.locator('.frames summary').nth(1).click();
  await picture('dead-letters');
  await visit(tab, 'connections');
  await tab.getByRole('table').getByRole('link').nth(3).click();
  await tab.getByRole('button', { name: 'Start' }).click();
  await tab.locator('.frames summary').nth(6).waitFor();
  await tab.emulateMedia({ colorScheme: 'dark' });
  await picture('connection');
  await tab.setViewportSize({ width: 360, height: 740 });
  await visit(tab, 'overview');
  await tab.locator('.chart canvas').first().waitFor();
  await picture('phone');
}
