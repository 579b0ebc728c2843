// Puts the page together: the broker's connection, this page's sensor, the chart and the chat.
// Every open page is a member of the herd: an id, a name and a colour that travel with what it says.
import { Broker, brokerUrl } from './broker.js';
import { Chart } from './chart.js';
import { Chat } from './chat.js';
import { Sensor } from './sensor.js';

const animals = ['Bison', 'Antelope', 'Caribou', 'Zebra', 'Gazelle', 'Mustang', 'Wildebeest', 'Elephant'];
const colours = 8;
const second = 1000;

const $ = (id) => document.getElementById(id);

/** Pages of one browser take turns, so that two of them differ. */
function nextTurn() {
  try {
    const turn = Number(localStorage.getItem('stampede-turn') ?? 0);
    localStorage.setItem('stampede-turn', String(turn + 1));
    return turn;
  } catch {
    return Math.floor(Math.random() * colours);  // The browser keeps nothing for pages.
  }
}

const turn = nextTurn();
const me = { id: crypto.getRandomValues(new Uint32Array(1))[0], name: animals[turn % animals.length], colour: turn % colours };

const broker = new Broker();
const chart = new Chart($('chart'));
const chat = new Chat($('messages'));
const sensor = new Sensor((value) => broker.publish('reading', { from: me, value, sent: performance.now() }));

const arrivals = [];
const roundTrips = [];

/** Anybody may publish anything: what is not ours is passed over. */
const isMember = (from) => Number.isInteger(from?.id) && Number.isInteger(from.colour) && typeof from.name === 'string';

const receivers = {
  reading({ from, value, sent }) {
    if (!Number.isFinite(value)) return;
    chart.add(from, value);
    if (from.id !== me.id) return;
    roundTrips.push(performance.now() - sent);
    if (roundTrips.length > 50) roundTrips.shift();
  },
  chat({ from, text }) {
    chat.add(from, text, from.id === me.id);
  },
};

broker.addEventListener('message', ({ detail: { kind, content } }) => {
  arrivals.push(performance.now());
  if (Object.hasOwn(receivers, kind) && isMember(content?.from)) receivers[kind](content);
});

const words = { offline: 'Offline', connecting: 'Connecting', online: 'Connected' };

broker.addEventListener('state', ({ detail: { state, trouble } }) => {
  const isOnline = state === 'online';
  $('state').dataset.state = state;
  $('state-text').textContent = trouble && state === 'connecting' ? 'Reconnecting' : words[state];
  $('toggle').textContent = state === 'offline' ? 'Connect' : 'Disconnect';
  $('trouble').hidden = !trouble;
  $('trouble-title').textContent = trouble?.title ?? '';
  $('trouble-text').textContent = trouble?.text ?? '';
  for (const control of $('say').elements) control.disabled = !isOnline;
  if (isOnline && $('sending').checked) sensor.start();
  else sensor.stop();
});

function median(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

function legendItem({ sender, last }) {
  const item = document.createElement('li');
  item.dataset.line = sender.colour;
  item.textContent = `${sender.name}${sender.id === me.id ? ' (this page)' : ''} `;
  const value = document.createElement('b');
  value.textContent = last.value.toFixed(0);
  item.append(value);
  return item;
}

function showFigures() {
  const since = performance.now() - 2 * second;
  while (arrivals.length && arrivals[0] < since) arrivals.shift();
  const talking = chart.active;
  const trip = broker.isOnline && roundTrips.length ? `${median(roundTrips).toFixed(1)} ms` : '\u2013';
  $('rate').textContent = Math.round(arrivals.length / 2);
  $('round-trip').textContent = trip;
  $('pages').textContent = talking.length;
  $('legend').replaceChildren(...talking.map(legendItem));
}

$('url').textContent = brokerUrl;
$('name').value = me.name;
$('name').addEventListener('change', ({ target }) => {
  me.name = target.value.trim() || me.name;
  target.value = me.name;
});
$('level').addEventListener('input', ({ target }) => {
  sensor.level = Number(target.value);
  $('level-shown').textContent = target.value;
});
$('speed').addEventListener('input', ({ target }) => {
  sensor.perSecond = Number(target.value);
  $('speed-shown').textContent = target.value;
});
$('wander').addEventListener('change', ({ target }) => {
  sensor.wanders = target.checked;
});
$('sending').addEventListener('change', ({ target }) => {
  if (target.checked && broker.isOnline) sensor.start();
  else sensor.stop();
});
$('toggle').addEventListener('click', () => {
  if ($('state').dataset.state === 'offline') broker.connect();
  else broker.disconnect();
});
$('say').addEventListener('submit', (event) => {
  event.preventDefault();
  const text = $('text').value.trim();
  if (text) broker.publish('chat', { from: me, text });
  $('text').value = '';
});

setInterval(showFigures, second / 4);
broker.connect();
