// Queues, topics and the backlogs of durable subscriptions.
// Limits: a page of rowsMax at a time.
import { useRef } from 'preact/hooks';
import { call, segment } from '../api';
import { bytes, count, duration, rate, short } from '../format';
import { href, route, setQuery } from '../router';
import { useStore } from '../store';
import type { Destination } from '../types';
import { Sparkline, Traces } from '../ui/chart';
import { ask } from '../ui/dialog';
import { AdminButton, Badge, Choice, Empty, Field, Name, Search } from '../ui/parts';
import { type Column, ListView, useList, useSearch } from '../ui/table';

const types = [
  ['', 'All'],
  ['queue', 'Queues'],
  ['topic', 'Topics'],
  ['durable', 'Durable'],
] as const;

/** What the broker calls the queue of dead letters, unless a policy says otherwise. */
export function holdsDeadLetters(name: string): boolean {
  return name.startsWith('/queue/DLQ.');
}

export function TypeBadge({ row }: { row: Destination }) {
  return (
    <>
      <Badge tone={row.type === 'queue' ? 'info' : 'neutral'}>{row.type}</Badge>
      {holdsDeadLetters(row.name) && <Badge tone={row.depth ? 'warn' : 'neutral'}>dead letters</Badge>}
    </>
  );
}

function columnsWith(traces: Traces): Column<Destination>[] {
  return [
    { title: 'Name', sort: 'name', cell: (row) => <Name text={row.name} href={href('destinations', row.name)} /> },
    { title: 'Type', from: 2, width: '11rem', cell: (row) => <TypeBadge row={row} /> },
    { title: 'Depth', sort: 'depth', numeric: true, width: '5rem', cell: (row) => (row.type === 'topic' ? '–' : short(row.depth)) },
    { title: 'Unacked', sort: 'unacked', numeric: true, from: 2, width: '6rem', cell: (row) => short(row.unacked) },
    {
      title: 'Readers',
      sort: 'consumers',
      numeric: true,
      width: '5.5rem',
      cell: (row) => <span class={row.type === 'queue' && row.depth && !row.consumers ? 'warn-text' : ''}>{count(row.consumers)}</span>,
    },
    { title: 'In/s', sort: 'published_rate', numeric: true, from: 2, width: '5rem', cell: (row) => rate(row.published_rate) },
    { title: 'Out/s', sort: 'delivered_rate', numeric: true, from: 2, width: '5rem', cell: (row) => rate(row.delivered_rate) },
    { title: 'Last minute', from: 3, width: '7rem', cell: (row) => <Sparkline values={traces.of(row.name)} label={`Published to ${row.name}`} /> },
    { title: 'Oldest', sort: 'oldest_age_ms', numeric: true, from: 3, width: '6rem', cell: (row) => (row.oldest_age_ms ? duration(row.oldest_age_ms) : '–') },
    { title: 'Size', sort: 'bytes', numeric: true, from: 3, width: '6rem', cell: (row) => bytes(row.bytes) },
    { title: 'On disk', sort: 'disk_bytes', numeric: true, from: 3, width: '6rem', cell: (row) => (row.durable ? bytes(row.disk_bytes) : '–') },
  ];
}

export function Destinations() {
  const [text, setText] = useSearch();
  const type = useStore(route).query.get('type') ?? '';
  const list = useList<Destination>('/destinations', { sort: 'name', order: 'asc' }, { type });
  const traces = useRef(new Traces()).current;
  if (list.data) traces.add(list.data, list.data.items, ({ name }) => name, (row) => row.published_rate);
  return (
    <>
      <div class="page-head">
        <h1>Destinations</h1>
        <Choice label="Type" options={types} value={type as ''} onChange={(value) => setQuery({ type: value })} />
        <Search value={text} onInput={setText} placeholder="Name" />
        <AdminButton icon="plus" onClick={askToDeclare}>
          Queue
        </AdminButton>
      </div>
      <section class="panel flush">
        <ListView
          list={list}
          columns={columnsWith(traces)}
          id={(row) => `${row.type} ${row.name}`}
          label="Destinations"
          nothing={
            <Empty icon="destinations" title="There are no destinations yet">
              They come to be when somebody sends or subscribes. Or <a href={href('destinations', '/topic/hello')}>try /topic/hello</a>.
            </Empty>
          }
        />
      </section>
    </>
  );
}

function askToDeclare(): void {
  let name = '';
  let text = '';
  ask({
    title: 'Declare a queue',
    action: 'Declare',
    body: (
      <>
        <p>Queues come to be by themselves; this is for one with arguments, or one that is to be there before anybody uses it.</p>
        <Field label="Name" hint="With or without /queue/">
          <input type="text" required spellcheck={false} onInput={(event) => (name = event.currentTarget.value)} />
        </Field>
        <Field label="Arguments (optional)" hint="One a line, as headers of SUBSCRIBE: x-max-length: 1000">
          <textarea rows={3} spellcheck={false} onInput={(event) => (text = event.currentTarget.value)} />
        </Field>
      </>
    ),
    run: async () => {
      const full = name.startsWith('/') ? name : `/queue/${name}`;
      await call('PUT', `/queues/${segment(full)}`, { body: { arguments: headersOf(text) } });
      location.hash = href('destinations', full);
      return `${full} is there.`;
    },
  });
}

/** `name: value` lines as an object. */
export function headersOf(text: string): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) headers[line.slice(0, colon).trim()] = line.slice(colon + 1).trim();
  }
  return headers;
}
