// This node: its shards, its listeners, its configuration, and what can be asked of it.
// Limits: none of its own.
import { useEffect, useState } from 'preact/hooks';
import { call, Problem, session } from '../api';
import { bytes, count, duration, moment } from '../format';
import { usePoll } from '../polling';
import { useStore } from '../store';
import type { ConfigValue, Overview } from '../types';
import { ask, attempt } from '../ui/dialog';
import { AdminButton, Badge, Facts, Loading, Name, Panel, Refusal, Search } from '../ui/parts';
import { Table } from '../ui/table';
import { Listeners } from './overview';

export function Nodes() {
  const { data, error, reload } = usePoll<Overview>('/overview');
  if (!data) return error && error.status !== 0 ? <Refusal problem={error} onRetry={reload} /> : <Loading />;
  return (
    <>
      <div class="page-head">
        <h1>Node</h1>
        <Name text={data.node} />
        <Badge tone={data.state === 'serving' ? 'good' : 'warn'}>{data.state}</Badge>
        <span class="spring" />
        <AdminButton icon="reload" onClick={() => void attempt(reloadConfiguration)}>
          Reload
        </AdminButton>
        <AdminButton icon="power" kind="danger" onClick={() => askToDrain(data)}>
          Drain
        </AdminButton>
      </div>
      <Panel title="Node">
        <Facts rows={facts(data)} />
      </Panel>
      <div class="columns half">
        <Panel title="Shards" flush>
          <Table
            label="Shards"
            rows={data.shards}
            id={(row) => String(row.index)}
            columns={[
              { title: 'Shard', width: '4.5rem', cell: (row) => row.index },
              { title: 'Connections', numeric: true, cell: (row) => count(row.connections) },
              { title: 'Queues', numeric: true, from: 2, cell: (row) => count(row.queues) },
              { title: 'Topics', numeric: true, from: 2, cell: (row) => count(row.topics) },
              { title: 'Memory', numeric: true, cell: (row) => bytes(row.memory_bytes) },
              { title: 'Answers in', width: '6.5rem', numeric: true, cell: (row) => `${row.answered_ms.toFixed(1)} ms` },
            ]}
          />
        </Panel>
        <Panel title="Listeners" flush>
          <Listeners listeners={data.listeners} />
        </Panel>
      </div>
      <Configuration />
    </>
  );
}

function facts(data: Overview): [string, string][] {
  return [
    ['Version', `${data.version} (${data.commit})`],
    ['Started', `${moment(data.started)} (${duration(data.uptime_seconds * 1000)} ago)`],
    ['Durability', data.durability],
    ['Store', data.disk.failed ? 'has failed' : data.durability === 'memory' ? '–' : bytes(data.disk.store_bytes)],
    ['Disk free', data.durability === 'memory' ? '–' : bytes(data.disk.free_bytes)],
    ['Memory', `${bytes(data.memory.used_bytes)} of ${bytes(data.memory.limit_bytes)} accounted, ${bytes(data.memory.resident_bytes)} resident`],
  ];
}

async function reloadConfiguration(): Promise<string> {
  const { ok, errors } = await call<{ ok: boolean; errors: string[] }>('POST', '/reload');
  if (!ok) throw new Problem(400, `The old configuration stays: ${errors.join('; ')}`);
  return 'The configuration was read again.';
}

function askToDrain(data: Overview): void {
  ask({
    title: 'Drain this broker?',
    action: 'Drain and stop',
    danger: true,
    body: (
      <p>
        <b>{data.node}</b> closes its {count(data.connections)} connections one by one and ends, as SIGTERM makes it do. Nothing here
        can start it again; what supervises it may.
      </p>
    ),
    run: async () => {
      await call('POST', '/drain');
      return 'The broker is draining.';
    },
  });
}

function Configuration() {
  const isAdmin = useStore(session)?.isAdmin;
  const [values, setValues] = useState<ConfigValue[]>();
  const [problem, setProblem] = useState<Problem>();
  const [text, setText] = useState('');
  useEffect(() => {
    if (!isAdmin) return;
    call<{ items: ConfigValue[] }>('GET', '/config').then(({ items }) => setValues(items), setProblem);
  }, [isAdmin]);
  if (!isAdmin) return null;
  const wanted = text.toLowerCase();
  const shown = (values ?? []).filter(({ key, value, origin }) => `${key} ${value} ${origin}`.toLowerCase().includes(wanted));
  return (
    <Panel title="Configuration" aside={<Search value={text} onInput={setText} placeholder="Key, value, origin" />} flush>
      {problem && <Refusal problem={problem} />}
      {!values && !problem && <Loading />}
      {values && (
        <div class="scroll">
          <Table
            label="Configuration"
            rows={shown}
            id={(row) => row.key}
            columns={[
              { title: 'Key', cell: (row) => <Name text={row.key} /> },
              { title: 'Value', cell: (row) => <Name text={row.value} /> },
              { title: 'From', from: 2, cell: (row) => <span class={row.origin === 'default' ? 'muted' : ''}>{row.origin}</span> },
            ]}
          />
        </div>
      )}
    </Panel>
  );
}
