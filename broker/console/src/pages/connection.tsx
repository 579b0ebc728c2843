// One connection: what is known of it, its subscriptions, its frames as they pass, and the way out.
// Limits: those of the trace.
import { useRef } from 'preact/hooks';
import { call, segment } from '../api';
import { ago, bytes, count, duration, moment, plural, rate } from '../format';
import { usePoll } from '../polling';
import { href } from '../router';
import type { ConnectionDetail, PastRefusal } from '../types';
import { Sparkline, Traces } from '../ui/chart';
import { ask } from '../ui/dialog';
import { AdminButton, Badge, Empty, Facts, Field, Loading, Name, Panel, Refusal, Stat } from '../ui/parts';
import { Table } from '../ui/table';
import { State, transportOf, userOf } from './connections';
import { subscriptionColumns } from './subscriptions';
import { Trace } from './trace';

export function ConnectionPage({ id }: { id: string }) {
  const { data, error, reload } = usePoll<ConnectionDetail>(`/connections/${segment(id)}`, 1000);
  const traces = useRef(new Traces()).current;
  if (!data) return error && error.status !== 0 ? <Refusal problem={error} onRetry={reload} /> : <Loading />;
  traces.add(data, ['in', 'out'], String, (name) => (name === 'in' ? data.messages_in_rate : data.messages_out_rate));
  const isGone = error?.status === 404;
  return (
    <>
      <div class="page-head">
        <nav aria-label="Path">
          <a href={href('connections')}>Connections</a>
        </nav>
        <h1 class="name" title={data.id}>
          {userOf(data)}
        </h1>
        {isGone ? <span class="badge bad">gone</span> : <State connection={data} />}
        <span class="spring" />
        {!isGone && (
          <AdminButton icon="kick" kind="danger" onClick={() => askToKick(data)}>
            Kick
          </AdminButton>
        )}
      </div>
      {isGone && <Refusal problem={error} title="It has ended" />}
      <div class="stats">
        <Stat label="Sends" value={`${rate(data.messages_in_rate)}/s`} note={<Sparkline values={traces.of('in')} label="Messages in" />} />
        <Stat label="Receives" value={`${rate(data.messages_out_rate)}/s`} note={<Sparkline values={traces.of('out')} label="Messages out" />} />
        <Stat label="Unacked" value={count(data.unacked)} note={`${plural(data.transactions_open, 'transaction')} open`} />
        <Stat label="To be written" value={bytes(data.outbound_bytes)} note={`${bytes(data.bytes_out)} written`} />
      </div>
      <Panel title="Connection">
        <Facts rows={facts(data)} />
      </Panel>
      {data.last_errors.length > 0 && <LastErrors id={data.id} errors={data.last_errors} />}
      <Panel title={`Subscriptions (${count(data.subscription_list.length)})`} flush>
        {data.subscription_list.length === 0 ? (
          <Empty icon="subscriptions" title="It has subscribed to nothing" />
        ) : (
          <Table
            label="Subscriptions"
            rows={data.subscription_list}
            id={(row) => row.id + row.destination}
            columns={subscriptionColumns.filter(({ title }) => title !== 'Connection')}
          />
        )}
      </Panel>
      <Trace id={id} isGone={isGone} />
    </>
  );
}

/** Each has ended a connection: this one, or an earlier one of the same client. */
function LastErrors({ id, errors }: { id: string; errors: PastRefusal[] }) {
  return (
    <Panel title="Last errors of this client" flush>
      <div class="wrapped">
        <Table
          label="Last errors of this client"
          rows={errors}
          id={(row) => row.at + row.connection}
          columns={[
            { title: 'When', width: '5rem', cell: (row) => <span title={moment(row.at)}>{ago(row.at)}</span> },
            { title: 'Reason', width: '9rem', cell: (row) => <Badge tone="bad" title={row.reason}>{row.reason}</Badge> },
            { title: 'It was told', cell: (row) => <Name text={row.message} mono={false} /> },
            { title: 'Connection', from: 3, width: '18rem', cell: (row) => (row.connection === id ? 'this one' : <Name text={row.connection} />) },
          ]}
        />
      </div>
    </Panel>
  );
}

function facts(data: ConnectionDetail): [string, string][] {
  const beat = (ms: number) => (ms ? `every ${duration(ms)}` : 'none');
  return [
    ['Session', data.id],
    ['User', data.user || '(none)'],
    ['Vouched for by', data.voucher || '–'],
    ['Client id', data.client_id || '–'],
    ['Address', `${data.address}:${data.port}`],
    ['Listener', `${data.listener} (${transportOf(data)})`],
    ['STOMP version', data.version || '–'],
    ['Connected', `${moment(data.connected_at)} (${ago(data.connected_at)})`],
    ['Heart-beats from it', beat(data.heartbeat_receive_ms)],
    ['Heart-beats to it', beat(data.heartbeat_send_ms)],
    ['Messages in / out', `${count(data.messages_in)} / ${count(data.messages_out)}`],
    ['Bytes in / out', `${bytes(data.bytes_in)} / ${bytes(data.bytes_out)}`],
    ['Shard', String(data.shard)],
    ['User agent', data.user_agent || '–'],
  ];
}

function askToKick(connection: ConnectionDetail): void {
  let reason = '';
  let isAll = false;
  ask({
    title: 'Kick this connection?',
    action: 'Kick',
    danger: true,
    body: (
      <>
        <p>
          <b>{userOf(connection)}</b> at {connection.address}:{connection.port} gets an ERROR <code>kicked</code> and is closed. What it
          has not acknowledged goes back to its queues. Clients that reconnect by themselves will come back.
        </p>
        <Field label="Reason, shown to the client (optional)">
          <input type="text" maxLength={200} onInput={(event) => (reason = event.currentTarget.value)} />
        </Field>
        {connection.user && (
          <label class="check">
            <input type="checkbox" onChange={(event) => (isAll = event.currentTarget.checked)} />
            All connections of {connection.user}
          </label>
        )}
      </>
    ),
    run: async () => {
      const query = { reason };
      let connections = 1;
      if (isAll) ({ connections } = await call<{ connections: number }>('DELETE', `/users/${segment(connection.user)}/connections`, { query }));
      else await call('DELETE', `/connections/${segment(connection.id)}`, { query });
      location.hash = href('connections');
      return `${userOf(connection)} was told to leave: ${plural(connections, 'connection')}.`;
    },
  });
}

