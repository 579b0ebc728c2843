// What waits in a queue, looked at without taking it.
// Limits: the server shows 64 KiB of each body; 50 messages at a time.
import { useEffect, useState } from 'preact/hooks';
import { call, Problem, segment } from '../api';
import { bytes, duration, plural, pretty } from '../format';
import type { QueueMessage } from '../types';
import { Badge, Button, Empty, Fold, Headers, Loading, Panel, Refusal } from '../ui/parts';

const messagesMax = 50;

interface Browsed {
  items: QueueMessage[];
  next?: string;
}

export function Messages({ queue, depth }: { queue: string; depth: number }) {
  const [page, setPage] = useState<Browsed>();
  const [problem, setProblem] = useState<Problem>();
  const look = async (cursor?: string) => {
    try {
      const query = { limit: messagesMax, cursor };
      const news = await call<Browsed>('GET', `/queues/${segment(queue)}/messages`, { query });
      setPage((old) => (cursor && old ? { ...news, items: [...old.items, ...news.items] } : news));
      setProblem(undefined);
    } catch (error) {
      setProblem(error instanceof Problem ? error : new Problem(0, String(error)));
    }
  };
  useEffect(() => void look(), [queue]);
  // A queue that moves too fast is not followed: what is shown can be read.
  const shown = page?.items.length ?? 0;
  useEffect(() => {
    if (page && shown !== depth && shown < messagesMax) void look();
  }, [depth]);
  const missing = problem?.status === 404;
  return (
    <Panel
      title="Messages from the front"
      aside={
        <Button icon="reload" kind="ghost" onClick={() => void look()}>
          Look again
        </Button>
      }
      flush
    >
      {problem && !missing && <Refusal problem={problem} />}
      {!page && !problem && <Loading />}
      {(missing || page?.items.length === 0) && <Empty title="Nothing waits here" />}
      {page && page.items.length > 0 && !missing && (
        <div class="frames">
          {page.items.map((message) => (
            <MessageLine key={message.id} message={message} />
          ))}
        </div>
      )}
      {page?.next && !missing && (
        <p class="pad">
          <Button onClick={() => void look(page.next)}>Show more</Button>
        </p>
      )}
    </Panel>
  );
}

function headerOf(message: QueueMessage, name: string): string | undefined {
  return message.headers.find(([key]) => key === name)?.[1];
}

function MessageLine({ message }: { message: QueueMessage }) {
  const { headers, body, body_base64, size, is_cut, deliveries, age_ms, state } = message;
  const died = headerOf(message, 'x-death-reason');
  return (
    <Fold
      summary={
        <>
          <time title="Age">{duration(age_ms)}</time>
          {state === 'unacked' && <Badge tone="info">unacked</Badge>}
          {died && (
            <Badge tone="warn" title={`Dead letter of ${headerOf(message, 'x-death-queue') ?? 'a queue'}`}>
              {died}
            </Badge>
          )}
          {deliveries > 0 && <Badge title="Deliveries so far">×{deliveries}</Badge>}
          <span class="line">{body ?? `${bytes(size)} of binary data`}</span>
          <span class="size">{bytes(size)}</span>
        </>
      }
    >
      {() => (
        <>
          <Headers headers={headers} />
          <pre class="body">{body === undefined ? (body_base64 ?? '') : pretty(body)}</pre>
          {is_cut && <p class="muted">The body is longer: only {plural(65_536, 'octet')} are shown.</p>}
        </>
      )}
    </Fold>
  );
}
