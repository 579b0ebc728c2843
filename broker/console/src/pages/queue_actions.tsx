// What can be done to a queue as a whole: move, re-drive, purge, delete. Each is asked about first.
// Limits: the server works in batches of 1000; the dialog goes on until all is done.
import { call, segment } from '../api';
import { plural } from '../format';
import { href } from '../router';
import type { Destination, Moved } from '../types';
import { ask } from '../ui/dialog';
import { AdminButton, Field } from '../ui/parts';
import { holdsDeadLetters } from './destinations';

/** Repeats a call of the server that does a batch at a time. */
async function untilComplete(path: string, body?: unknown): Promise<number> {
  let messages = 0;
  for (;;) {
    const done = await call<Moved>('POST', path, body === undefined ? {} : { body });
    messages += done.messages;
    if (done.is_complete || done.messages === 0) return messages;
  }
}

export function QueueActions({ queue, onDone }: { queue: Destination; onDone: () => void }) {
  const isDeadLetters = holdsDeadLetters(queue.name);
  return (
    <span class="row wrap">
      {isDeadLetters && (
        <AdminButton icon="redrive" kind="primary" disabled={queue.depth === 0} onClick={() => askToRedrive(queue, onDone)}>
          Re-drive
        </AdminButton>
      )}
      <AdminButton icon="move" disabled={queue.depth === 0} onClick={() => askToMove(queue, onDone)}>
        Move
      </AdminButton>
      <AdminButton icon="trash" kind="danger" disabled={queue.depth === 0} onClick={() => askToPurge(queue, onDone)}>
        Purge
      </AdminButton>
      <AdminButton icon="close" kind="danger" onClick={() => askToDelete(queue)}>
        Delete
      </AdminButton>
    </span>
  );
}

function askToRedrive(queue: Destination, onDone: () => void): void {
  ask({
    title: 'Re-drive dead letters?',
    action: 'Re-drive',
    body: (
      <p>
        {plural(queue.depth, 'message')} of <code>{queue.name}</code> {queue.depth === 1 ? 'goes' : 'go'} back to the queues that they
        were dead-lettered from. What made them fail should be mended first, or they will come back.
      </p>
    ),
    run: async () => {
      const messages = await untilComplete(`/queues/${segment(queue.name)}/move`, { redrive: true });
      onDone();
      return `${plural(messages, 'message')} moved back.`;
    },
  });
}

function askToMove(queue: Destination, onDone: () => void): void {
  let to = '';
  let filter = '';
  ask({
    title: 'Move messages',
    action: 'Move',
    body: (
      <>
        <p>
          What waits in <code>{queue.name}</code> goes elsewhere, in order. What is unacknowledged stays.
        </p>
        <Field label="To">
          <input type="text" required spellcheck={false} placeholder="/queue/other" onInput={(event) => (to = event.currentTarget.value)} />
        </Field>
        <Field label="Only those (selector, optional)">
          <input type="text" spellcheck={false} placeholder="priority > 5" onInput={(event) => (filter = event.currentTarget.value)} />
        </Field>
      </>
    ),
    run: async () => {
      const body = filter ? { to, filter } : { to };
      const messages = await untilComplete(`/queues/${segment(queue.name)}/move`, body);
      onDone();
      return `${plural(messages, 'message')} moved to ${to}.`;
    },
  });
}

function askToPurge(queue: Destination, onDone: () => void): void {
  ask({
    title: 'Purge this queue?',
    action: `Remove ${plural(queue.depth, 'message')}`,
    danger: true,
    body: (
      <p>
        All that waits in <code>{queue.name}</code> is removed for good. What is unacknowledged stays.
      </p>
    ),
    run: async () => {
      const messages = await untilComplete(`/queues/${segment(queue.name)}/purge`);
      onDone();
      return `${plural(messages, 'message')} removed.`;
    },
  });
}

function askToDelete(queue: Destination): void {
  ask({
    title: 'Delete this queue?',
    action: 'Delete',
    danger: true,
    body: (
      <p>
        <code>{queue.name}</code> is removed with {plural(queue.depth, 'message')}. It comes to be again when somebody uses it.
      </p>
    ),
    run: async () => {
      await call('DELETE', `/queues/${segment(queue.name)}`);
      location.hash = href('destinations');
      return `${queue.name} is gone.`;
    },
  });
}

/** The backlog of a durable subscription: /durable/USER/CLIENT/NAME, perhaps with the destination before the name. */
export function DurableActions({ backlog }: { backlog: Destination }) {
  const [user = '', client = '', ...rest] = backlog.name.split('/').slice(2);
  const isShared = client === '=shared';
  const [destination] = rest.length > 1 ? rest : [];
  const kind = isShared ? 'shared' : destination === undefined ? 'name' : 'id';
  const query = `kind=${kind}` + (destination === undefined ? '' : `&destination=${destination}`);
  const path = ['/durable-subscriptions', user, (!isShared && client) || '-', `${rest.at(-1) ?? ''}?${query}`].join('/');
  const run = async () => {
    await call('DELETE', path);
    location.hash = href('destinations');
    return 'The durable subscription is gone.';
  };
  const body = (
    <p>
      <code>{backlog.name}</code> is removed with {plural(backlog.depth, 'message')}. Its client starts anew when it subscribes again.
    </p>
  );
  const question = { title: 'Remove this durable subscription?', action: 'Remove', danger: true, body, run };
  return (
    <AdminButton icon="trash" kind="danger" onClick={() => ask(question)}>
      Remove
    </AdminButton>
  );
}
