// Messages that wait for their time.
// Limits: 50 at a time.
import { useState } from 'preact/hooks';
import { call, segment } from '../api';
import { bytes, count, duration, moment } from '../format';
import { usePoll } from '../polling';
import { href } from '../router';
import type { Scheduled } from '../types';
import { ask } from '../ui/dialog';
import { AdminButton, Badge, Button, Empty, Loading, Name, Refusal } from '../ui/parts';
import { Table } from '../ui/table';

const messagesMax = 50;

interface ScheduledList {
  total: number;
  offset: number;
  messages: Scheduled[];
}

export function ScheduledPage() {
  const [offset, setOffset] = useState(0);
  const { data, error, reload } = usePoll<ScheduledList>(`/scheduled?limit=${messagesMax}&offset=${offset}`);
  return (
    <>
      <div class="page-head">
        <h1>Scheduled</h1>
        {data && <span class="muted">{count(data.total)} waiting for their time</span>}
      </div>
      <section class="panel flush">
        {!data && (error && error.status !== 0 ? <Refusal problem={error} onRetry={reload} /> : <Loading />)}
        {data?.messages.length === 0 && (
          <Empty icon="scheduled" title="Nothing is scheduled">
            A SEND with a delay, a time or a period waits here until it is due.
          </Empty>
        )}
        {data && data.messages.length > 0 && <ScheduledTable list={data} onDone={reload} />}
        {data && data.total > messagesMax && (
          <footer class="pages">
            <span>
              {count(offset + 1)}–{count(offset + data.messages.length)} of <b data-total>{count(data.total)}</b>
            </span>
            <span class="row">
              <Button icon="left" title="Previous page (p)" disabled={offset === 0} onClick={() => setOffset(Math.max(0, offset - messagesMax))} />
              <Button
                icon="right"
                title="Next page (n)"
                disabled={offset + data.messages.length >= data.total}
                onClick={() => setOffset(offset + messagesMax)}
              />
            </span>
          </footer>
        )}
      </section>
    </>
  );
}

function ScheduledTable({ list, onDone }: { list: ScheduledList; onDone: () => void }) {
  return (
    <Table
      label="Scheduled messages"
      rows={list.messages}
      id={(row) => row.id}
      columns={[
        { title: 'Destination', cell: (row) => <Name text={row.destination} href={href('destinations', row.destination)} /> },
        {
          title: 'Due in',
          numeric: true,
          width: '7rem',
          cell: (row) => <span title={moment(row.due)}>{duration(Math.max(0, row.due - Date.now()))}</span>,
        },
        {
          title: 'Repeats',
          from: 2,
          width: '10rem',
          cell: (row) => (row.period ? `every ${duration(row.period)}, ${count(row.repeats)} more` : 'once'),
        },
        { title: 'Size', numeric: true, from: 2, width: '6rem', cell: (row) => bytes(row.size) },
        { title: 'Kept', from: 3, width: '6rem', cell: (row) => row.durable && <Badge>durable</Badge> },
        { title: 'Id', from: 3, cell: (row) => <Name text={row.id} /> },
        {
          title: '',
          width: '6.5rem',
          numeric: true,
          cell: (row) => (
            <AdminButton kind="ghost" onClick={() => askToCancel(row, onDone)}>
              Cancel
            </AdminButton>
          ),
        },
      ]}
    />
  );
}

function askToCancel(row: Scheduled, onDone: () => void): void {
  ask({
    title: 'Cancel this message?',
    action: 'Cancel the message',
    danger: true,
    body: (
      <p>
        The message to <code>{row.destination}</code>, due at {moment(row.due)}, is not sent.
      </p>
    ),
    run: async () => {
      await call('DELETE', `/scheduled/${segment(row.id)}`);
      onDone();
      return 'The message is cancelled.';
    },
  });
}
