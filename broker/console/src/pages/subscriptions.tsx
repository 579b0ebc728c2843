// Who reads what, and who cannot keep up.
// Limits: a page of rowsMax at a time.
import { bytes, count, short } from '../format';
import { href } from '../router';
import type { Subscription } from '../types';
import { Badge, Empty, Name, Search } from '../ui/parts';
import { type Column, ListView, useList, useSearch } from '../ui/table';

/** A pattern matches several destinations and has no page of its own. */
function destinationLink(name: string): string | undefined {
  return /[*>#]/.test(name) ? undefined : href('destinations', name);
}

export const subscriptionColumns: Column<Subscription>[] = [
  {
    title: 'Destination',
    sort: 'destination',
    cell: (row) => (
      <span class="two-lines">
        <Name text={row.destination} {...withHref(row.destination)} />
        {(row.selector || row.durable) && (
          <small class="name" title={row.selector}>
            {row.durable && `durable ${row.durable}`} {row.selector && `where ${row.selector}`}
          </small>
        )}
      </span>
    ),
  },
  {
    title: 'Connection',
    from: 2,
    cell: (row) => <Name text={row.user || row.connection} href={href('connections', row.connection)} mono={false} />,
  },
  {
    title: 'Ack',
    from: 3,
    width: '9rem',
    cell: (row) => <Badge>{row.ack}</Badge>,
  },
  { title: 'Delivered', sort: 'delivered', numeric: true, from: 2, width: '7rem', cell: (row) => short(row.delivered) },
  { title: 'Unacked', sort: 'unacked', numeric: true, width: '6rem', cell: (row) => short(row.unacked) },
  { title: 'Lag', sort: 'lag', numeric: true, from: 2, width: '5rem', cell: (row) => short(row.lag) },
  {
    title: 'Dropped',
    sort: 'dropped',
    numeric: true,
    width: '6rem',
    cell: (row) => <span class={row.dropped ? 'warn-text' : ''}>{short(row.dropped)}</span>,
  },
  { title: 'To write', numeric: true, from: 3, width: '6rem', cell: (row) => bytes(row.outbound_bytes) },
  { title: 'Prefetch', numeric: true, from: 3, width: '6.5rem', cell: (row) => (row.prefetch ? count(row.prefetch) : '–') },
];

function withHref(destination: string): { href?: string } {
  const link = destinationLink(destination);
  return link ? { href: link } : {};
}

export function Subscriptions() {
  const [text, setText] = useSearch();
  const list = useList<Subscription>('/subscriptions', { sort: 'destination', order: 'asc' });
  return (
    <>
      <div class="page-head">
        <h1>Subscriptions</h1>
        <Search value={text} onInput={setText} placeholder="Destination, user" />
      </div>
      <section class="panel flush">
        <ListView
          list={list}
          columns={subscriptionColumns}
          id={(row) => `${row.connection} ${row.id} ${row.destination}`}
          label="Subscriptions"
          nothing={<Empty icon="subscriptions" title="Nobody has subscribed to anything" />}
        />
      </section>
    </>
  );
}
