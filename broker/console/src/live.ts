// What the broker tells by itself: figures once a second and system events, over STOMP on the page's own host.
// Limits: 300 samples and 200 events are kept.
import { Client, type IMessage, ReconnectionTimeMode, Versions } from '@stomp/stompjs';
import { call, isUnreachable, session } from './api';
import { Store } from './store';
import type { Sample, Totals } from './types';

export type Link = 'connecting' | 'live' | 'lost' | 'refused';

/** A system event (docs/events.md); `text` is what it says besides its time. */
export interface SystemEvent {
  key: number;
  name: string;
  at: number;
  text: string;
}

export const link = new Store<Link>('connecting');
export const samples = new Store<Sample[]>([]);
export const totals = new Store<Totals | null>(null);
export const events = new Store<SystemEvent[]>([]);

const samplesMax = 300;
const eventsMax = 200;
const eventTextMax = 1000;
const eventNames = ['connect', 'disconnect', 'auth-failed', 'refused', 'limit', 'slow-consumer', 'alarm'];

/** A client of the broker's /ws with the token of the session, not yet active. */
export function stompClient(token: string): Client {
  const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
  return new Client({
    brokerURL: `${scheme}://${location.host}/ws`,
    connectHeaders: { login: 'admin', Authorization: `Bearer ${token}` },
    stompVersions: new Versions([Versions.V1_2]),
    reconnectDelay: 500,
    maxReconnectDelay: 5000,
    reconnectTimeMode: ReconnectionTimeMode.EXPONENTIAL,
    heartbeatIncoming: 10_000,
    heartbeatOutgoing: 10_000,
  });
}

function add(sample: Sample): void {
  const all = samples.value;
  const last = all.at(-1);
  if (last && sample.at <= last.at) return;
  samples.set([...all.slice(1 - samplesMax), sample]);
}

async function fillHistory(): Promise<void> {
  try {
    const { items } = await call<{ items: Sample[] }>('GET', '/history');
    const newest = items.at(-1)?.at ?? 0;
    const later = samples.value.filter(({ at }) => at > newest);
    samples.set([...items, ...later].slice(-samplesMax));
  } catch {
    // What is missing is drawn as a gap; whether the broker answers is shown elsewhere.
  }
}

let pending: SystemEvent[] = [];
let nextKey = 0;

/** `key=value`; a value that could be taken for more than one is quoted. */
function assignment([key, value]: [string, unknown]): string {
  const text = String(value);
  return `${key}=${/^$|[\s"=]/.test(text) ? JSON.stringify(text) : text}`;
}

/** Events may come by thousands: they are shown together, four times a second. */
function note(name: string, message: IMessage): void {
  let at = Date.now();
  let text = message.body;
  try {
    const { at: told, ...members } = JSON.parse(message.body) as Record<string, unknown>;
    if (typeof told === 'number') at = told;
    text = Object.entries(members).map(assignment).join('  ');
  } catch {
    // Shown as it came.
  }
  if (pending.length === 0) setTimeout(showPending, 250);
  pending = [{ key: nextKey++, name, at, text: text.slice(0, eventTextMax) }, ...pending.slice(0, eventsMax - 1)];
}

function showPending(): void {
  events.set([...pending, ...events.value].slice(0, eventsMax));
  pending = [];
}

/** Goes live until the returned function is called. */
export function goLive(): () => void {
  const token = session.value?.token ?? '';
  const client = stompClient(token);
  // While nothing comes by itself the charts are drawn from what the API tells.
  let heard = 0;
  const fallback = setInterval(() => {
    if (performance.now() - heard > 2500 && !document.hidden) void fillHistory();
  }, 2000);
  client.onConnect = () => {
    void fillHistory();
    client.subscribe('/topic/$SYS.stats', ({ body }) => {
      const sample = JSON.parse(body) as Sample & { totals?: Totals };
      heard = performance.now();
      add(sample);
      if (sample.totals) totals.set(sample.totals);
    });
    for (const name of eventNames) client.subscribe(`/topic/$SYS.${name}`, (message) => note(name, message));
    link.set('live');
    isUnreachable.set(false);
  };
  client.onStompError = ({ headers }) => {
    if (!['auth-failed', 'access-denied'].includes(headers.message ?? '')) return;
    link.set('refused');
    void client.deactivate();
  };
  client.onWebSocketClose = () => {
    if (link.value === 'live') link.set('lost');
  };
  link.set('connecting');
  void fillHistory();
  client.activate();
  return () => {
    clearInterval(fallback);
    void client.deactivate();
    samples.set([]);
    events.set([]);
    totals.set(null);
  };
}
