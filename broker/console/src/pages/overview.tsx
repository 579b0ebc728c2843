// The broker at a glance: what is wrong, how much passes, what it costs.
// Limits: five minutes of history.
import { useMemo, useState } from 'preact/hooks';
import { bytes, clock, count, duration, rate, short } from '../format';
import { events, samples, totals } from '../live';
import { usePoll } from '../polling';
import { useStore } from '../store';
import type { Alarm, Listener, Overview, Sample, Totals } from '../types';
import { Chart } from '../ui/chart';
import { Icon } from '../ui/icons';
import { Badge, Choice, Empty, Loading, Meter, Name, Panel, Refusal, Stat, type Tone } from '../ui/parts';

export function OverviewPage() {
  const { data, error, reload } = usePoll<Overview>('/overview');
  if (!data) return error && error.status !== 0 ? <Refusal problem={error} onRetry={reload} /> : <Loading />;
  return (
    <>
      <div class="page-head">
        <h1>Overview</h1>
        <Badge tone={data.state === 'serving' ? 'good' : 'warn'}>{data.state}</Badge>
        <span class="muted">up {duration(data.uptime_seconds * 1000)}</span>
      </div>
      <Alarms alarms={data.alarms} />
      <Tiles overview={data} />
      <Charts />
      <div class="columns">
        <Panel title="Totals since the start">
          <TotalList initial={data.totals} />
        </Panel>
        <Panel title="Listeners" flush>
          <Listeners listeners={data.listeners} />
        </Panel>
      </div>
      <Panel title="Events" aside={<span class="muted">as they happen</span>} flush>
        <Events />
      </Panel>
    </>
  );
}

function Alarms({ alarms }: { alarms: Alarm[] }) {
  return (
    <>
      {alarms.map(({ kind, level, text }) => (
        <div class={`banner ${level > 1 ? 'bad' : 'warn'}`} role="alert" key={kind + text}>
          <Icon name="warning" />
          <span>
            <strong>{kind}</strong> {text}
          </span>
        </div>
      ))}
    </>
  );
}

function Tiles({ overview }: { overview: Overview }) {
  const { memory, disk } = overview;
  const last = useStore(samples).at(-1);
  const memoryPart = memory.limit_bytes ? memory.used_bytes / memory.limit_bytes : 0;
  const durabilityNote = disk.failed
    ? 'the store has failed'
    : ['none', 'memory'].includes(overview.durability)
      ? 'lost when the broker stops'
      : `${bytes(disk.store_bytes)} stored, ${bytes(disk.free_bytes)} free`;
  return (
    <div class="stats">
      <Stat label="Published" value={`${rate(last?.published ?? overview.rates.published)}/s`} note={`${bytes(last?.received_bytes ?? 0)}/s in`} />
      <Stat label="Delivered" value={`${rate(last?.delivered ?? overview.rates.delivered)}/s`} note={`${bytes(last?.sent_bytes ?? 0)}/s out`} />
      <Stat
        label="Connections"
        value={count(last?.connections ?? overview.connections)}
        note={`${count(overview.subscriptions)} subscriptions${overview.connections_unauthenticated ? `, ${count(overview.connections_unauthenticated)} not yet in` : ''}`}
      />
      <Stat
        label="In queues"
        value={short(last?.queue_messages ?? overview.queue_messages)}
        note={`${short(overview.queue_unacked)} unacked, ${count(overview.queues)} queues`}
      />
      <Stat
        label="Memory"
        value={bytes(memory.used_bytes)}
        tone={memory.alarm > 1 ? 'bad' : memory.alarm > 0 ? 'warn' : 'neutral'}
        note={
          <>
            <Meter part={memoryPart} label="Memory used" /> of {bytes(memory.limit_bytes)}
          </>
        }
      />
      <Stat label="Durability" value={overview.durability} tone={disk.failed ? 'bad' : 'neutral'} note={durabilityNote} />
    </div>
  );
}

const spans = [
  ['60', '1 min'],
  ['300', '5 min'],
] as const;

function Charts() {
  const all = useStore(samples);
  const [span, setSpan] = useState<'60' | '300'>('60');
  const times = useMemo(() => all.map(({ at }) => at / 1000), [all]);
  const of = (key: keyof Sample) => all.map((sample) => sample[key]);
  const shared = { times, window: Number(span) };
  const perSecond = (n: number) => `${rate(n)}/s`;
  const bytesPerSecond = (n: number) => `${bytes(n)}/s`;
  const series = useMemo(
    () => ({
      messages: [
        { name: 'published', color: '--chart-1', values: of('published') },
        { name: 'delivered', color: '--chart-2', values: of('delivered') },
        { name: 'acked', color: '--chart-3', values: of('acked') },
      ],
      traffic: [
        { name: 'in', color: '--chart-1', values: of('received_bytes') },
        { name: 'out', color: '--chart-2', values: of('sent_bytes') },
      ],
      connections: [{ name: 'open', color: '--chart-4', values: of('connections') }],
      queues: [{ name: 'messages', color: '--chart-5', values: of('queue_messages') }],
    }),
    [all],
  );
  return (
    <Panel title="Traffic" aside={<Choice label="Time shown" options={spans} value={span} onChange={setSpan} />}>
      <div class="charts">
        <Chart label="Messages" series={series.messages} format={perSecond} least={10} {...shared} />
        <Chart label="Bytes" series={series.traffic} format={bytesPerSecond} least={1024} isBytes {...shared} />
        <Chart label="Connections" series={series.connections} format={short} least={10} {...shared} />
        <Chart label="Waiting in queues" series={series.queues} format={short} least={10} {...shared} />
      </div>
    </Panel>
  );
}

const totalNames: [keyof Totals, string][] = [
  ['published', 'published'],
  ['delivered', 'delivered'],
  ['acked', 'acknowledged'],
  ['nacked', 'refused by consumers'],
  ['redelivered', 'delivered again'],
  ['dead_lettered', 'dead letters'],
  ['expired', 'expired'],
  ['dropped', 'dropped'],
  ['unroutable', 'nobody was there'],
  ['deduplicated', 'duplicates left out'],
];
const badTotals = new Set<keyof Totals>(['dead_lettered', 'dropped', 'expired']);

function TotalList({ initial }: { initial: Totals }) {
  const now = useStore(totals) ?? initial;
  return (
    <dl class="totals">
      {totalNames.map(([key, name]) => (
        <div key={key} class={badTotals.has(key) && now[key] > 0 ? 'warn' : now[key] === 0 ? 'zero' : ''}>
          <dt>{name}</dt>
          <dd>{count(now[key])}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Listeners({ listeners }: { listeners: Listener[] }) {
  return (
    <div class="table">
      <table aria-label="Listeners" class="wrapped">
        <thead>
          <tr>
            <th style={{ width: '30%' }}>Listener</th>
            <th>Address</th>
            <th class="numeric" style={{ width: '4.5rem' }}>
              Open
            </th>
          </tr>
        </thead>
        <tbody>
          {listeners.map(({ name, kind, url, tls, connections }) => (
            <tr key={name + url}>
              <td>
                <span class="two-lines">
                  <Name text={name} mono={false} />
                  <small>{`${kind === 'tcp' ? 'TCP' : 'WebSocket'}${tls ? ', TLS' : ''}`}</small>
                </span>
              </td>
              <td>
                <Name text={url} />
              </td>
              <td class="numeric">{count(connections)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const eventTones: Record<string, Tone> = {
  connect: 'good',
  'auth-failed': 'bad',
  refused: 'warn',
  limit: 'warn',
  'slow-consumer': 'warn',
  alarm: 'bad',
};

function Events() {
  const all = useStore(events);
  if (all.length === 0) {
    return <Empty title="Nothing has happened yet">Connects, disconnects, failed logins, refusals, limits, slow consumers and alarms.</Empty>;
  }
  return (
    <ol class="events">
      {all.map(({ key, name, at, text }) => (
        <li key={key}>
          <time>{clock(at)}</time>
          <Badge tone={eventTones[name] ?? 'neutral'}>{name}</Badge>
          <span title={text}>{text}</span>
        </li>
      ))}
    </ol>
  );
}
