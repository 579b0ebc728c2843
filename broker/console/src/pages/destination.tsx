// One destination: figures, publish and subscribe in place, its messages, its readers, its settings.
// Limits: those of the parts.
import { useRef } from 'preact/hooks';
import { type Problem, segment } from '../api';
import { bytes, count, duration, rate, short } from '../format';
import { usePoll } from '../polling';
import { href, route, setQuery } from '../router';
import { useStore } from '../store';
import type { DestinationDetail } from '../types';
import { Sparkline, Traces } from '../ui/chart';
import { Badge, Choice, Empty, Facts, Loading, Name, Panel, Refusal, Stat } from '../ui/parts';
import { Table } from '../ui/table';
import { TypeBadge } from './destinations';
import { Live } from './live';
import { Messages } from './messages';
import { DurableActions, QueueActions } from './queue_actions';

type Tab = 'live' | 'messages' | 'readers' | 'settings';

const names: Record<Tab, string> = { live: 'Live', messages: 'Messages', readers: 'Readers', settings: 'Settings' };

export function DestinationPage({ name }: { name: string }) {
  const { data, error, reload } = usePoll<DestinationDetail>(`/destinations/${segment(name)}`, 1000);
  const { query } = useStore(route);
  if (!data && !error) return <Loading />;
  if (!data && error && ![0, 404].includes(error.status)) return <Refusal problem={error} onRetry={reload} />;
  const isQueue = data ? data.type === 'queue' : name.startsWith('/queue/');
  const tabs: Tab[] = isQueue ? ['messages', 'live', 'readers', 'settings'] : ['live', 'readers', 'settings'];
  const tab = tabs.find((one) => one === query.get('tab')) ?? tabs[0] ?? 'live';
  return (
    <>
      <div class="page-head">
        <nav aria-label="Path">
          <a href={href('destinations')}>Destinations</a>
        </nav>
        <h1 class="name mono" title={name}>
          {name}
        </h1>
        {data && <TypeBadge row={data} />}
        {error?.status === 404 && <Badge title="It comes to be when somebody sends or subscribes">not there yet</Badge>}
        <span class="spring" />
        {data && isQueue && <QueueActions queue={data} onDone={reload} />}
        {data?.name.startsWith('/durable/') && <DurableActions backlog={data} />}
      </div>
      {data && <Tiles data={data} />}
      <Choice label="Show" options={tabs.map((one) => [one, names[one]] as const)} value={tab} onChange={(value) => setQuery({ tab: value })} />
      {tab === 'live' && <Live destination={name} isQueue={isQueue} />}
      {tab === 'messages' && <Messages queue={name} depth={data?.depth ?? 0} />}
      {tab === 'readers' && <Readers data={data} />}
      {tab === 'settings' && <Settings data={data} error={error} />}
    </>
  );
}

function Tiles({ data }: { data: DestinationDetail }) {
  const traces = useRef(new Traces()).current;
  const values: Record<string, number> = { in: data.published_rate, out: data.delivered_rate, depth: data.depth };
  traces.add(data, ['in', 'out', 'depth'], String, (name) => values[name] ?? 0);
  const isTopic = data.type === 'topic';
  return (
    <div class="stats">
      <Stat label="Published" value={`${rate(data.published_rate)}/s`} note={<Sparkline values={traces.of('in')} label="Published" />} />
      <Stat label="Delivered" value={`${rate(data.delivered_rate)}/s`} note={<Sparkline values={traces.of('out')} label="Delivered" />} />
      {!isTopic && <Stat label="Waiting" value={short(data.depth)} note={<Sparkline values={traces.of('depth')} label="Waiting" />} />}
      {!isTopic && <Stat label="Unacked" value={short(data.unacked)} note={`${short(data.acked)} acknowledged`} />}
      <Stat label={isTopic ? 'Subscribers' : 'Consumers'} value={count(data.consumers)} note={`${short(data.published)} published in all`} />
      {!isTopic && (
        <Stat label="Oldest" value={data.oldest_age_ms ? duration(data.oldest_age_ms) : '–'} note={`${bytes(data.bytes)} waiting`} />
      )}
      {(data.durable || data.memory_bytes > 0 || !isTopic) && (
        <Stat label="In memory" value={bytes(data.memory_bytes)} note={data.durable ? `${bytes(data.disk_bytes)} on disk` : 'nothing on disk'} />
      )}
    </div>
  );
}

function Readers({ data }: { data: DestinationDetail | undefined }) {
  if (!data || data.consumer_list.length === 0) {
    return (
      <Panel label="Readers">
        <Empty icon="connections" title="Nobody reads from it" />
      </Panel>
    );
  }
  return (
    <Panel flush label="Readers">
      <Table
        label="Readers"
        rows={data.consumer_list}
        id={(row) => `${row.connection} ${row.subscription}`}
        columns={[
          { title: 'User', cell: (row) => <Name text={row.user || '(no user)'} href={href('connections', row.connection)} mono={false} /> },
          { title: 'Connection', from: 2, cell: (row) => <Name text={row.connection} /> },
          { title: 'Subscription', cell: (row) => <Name text={row.subscription} /> },
          { title: 'Unacked', numeric: true, width: '6rem', cell: (row) => count(row.unacked) },
        ]}
      />
    </Panel>
  );
}

function Settings({ data, error }: { data: DestinationDetail | undefined; error: Problem | undefined }) {
  if (!data) return error ? <Refusal problem={error} /> : null;
  return (
    <Panel title="What decides about it">
      <Facts
        rows={[
          ['Policy', data.policy || 'none: defaults'],
          ['Durable', data.durable ? 'yes' : 'no'],
          ['Home shard', String(data.shard)],
          ['Dropped', count(data.dropped)],
          ...Object.entries(data.settings),
        ]}
      />
    </Panel>
  );
}

