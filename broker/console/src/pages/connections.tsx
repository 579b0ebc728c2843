// Who is connected, as the server sorts and finds it.
// Limits: a page of rowsMax at a time.
import { ago, bytes, count, moment, rate, short } from '../format';
import { href } from '../router';
import type { Connection } from '../types';
import { type Column, ListView, useList, useSearch } from '../ui/table';
import { Badge, Empty, Name, Search, type Tone } from '../ui/parts';

const stateTones: Record<Connection['state'], Tone> = {
  handshake: 'warn',
  connecting: 'warn',
  connected: 'good',
  closing: 'neutral',
};

export function State({ connection }: { connection: Connection }) {
  const { state, paused } = connection;
  return (
    <>
      <Badge tone={stateTones[state]}>{state}</Badge>
      {paused !== 'no' && (
        <Badge tone="warn" title="The broker does not read from it at present">
          held back: {paused}
        </Badge>
      )}
    </>
  );
}

export function transportOf({ transport, tls }: Connection): string {
  return `${transport === 'tcp' ? 'TCP' : 'WebSocket'}${tls ? ' TLS' : ''}`;
}

export function userOf({ user }: { user: string }): string {
  return user || '(no user)';
}

const columns: Column<Connection>[] = [
  {
    title: 'User',
    sort: 'user',
    cell: (row) => (
      <span class="two-lines">
        <Name text={userOf(row)} href={href('connections', row.id)} mono={false} />
        <small class="name" title={row.client_id || row.id}>
          {row.client_id || row.id}
        </small>
      </span>
    ),
  },
  {
    title: 'Address',
    sort: 'address',
    from: 2,
    cell: (row) => (
      <span class="two-lines">
        <Name text={`${row.address}:${row.port}`} />
        <small>
          {transportOf(row)}
          {row.version && `, STOMP ${row.version}`}
        </small>
      </span>
    ),
  },
  { title: 'State', from: 2, width: '7.5rem', cell: (row) => <State connection={row} /> },
  { title: 'In/s', sort: 'messages_in_rate', numeric: true, width: '4.5rem', cell: (row) => rate(row.messages_in_rate) },
  { title: 'Out/s', sort: 'messages_out_rate', numeric: true, width: '4.5rem', cell: (row) => rate(row.messages_out_rate) },
  { title: 'To write', sort: 'outbound_bytes', numeric: true, from: 3, width: '6rem', cell: (row) => bytes(row.outbound_bytes) },
  { title: 'Subs', sort: 'subscriptions', numeric: true, from: 3, width: '5rem', cell: (row) => count(row.subscriptions) },
  { title: 'Unacked', sort: 'unacked', numeric: true, from: 2, width: '6rem', cell: (row) => short(row.unacked) },
  {
    title: 'Since',
    sort: 'connected_at',
    numeric: true,
    from: 3,
    width: '6rem',
    cell: (row) => <span title={moment(row.connected_at)}>{ago(row.connected_at)}</span>,
  },
];

export function Connections() {
  const [text, setText] = useSearch();
  const list = useList<Connection>('/connections', { sort: 'connected_at', order: 'desc' });
  return (
    <>
      <div class="page-head">
        <h1>Connections</h1>
        <Search value={text} onInput={setText} placeholder="User, client id, address" />
      </div>
      <section class="panel flush">
        <ListView
          list={list}
          columns={columns}
          id={(row) => row.id}
          label="Connections"
          nothing={
            <Empty icon="connections" title="Nobody is connected">
              Connect a STOMP client to one of the <a href={href('nodes')}>listeners</a>; it appears here within two seconds.
            </Empty>
          }
        />
      </section>
    </>
  );
}
