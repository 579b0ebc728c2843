// Publish and subscribe in place, over a STOMP connection of its own: a mistake here ends only that.
// Limits: the newest 200 messages are shown; a body of 64 KiB is cut for showing.
import type { Client, IFrame, IMessage, StompSubscription } from '@stomp/stompjs';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Problem, session } from '../api';
import { bytes, clock, count, pretty } from '../format';
import { stompClient } from '../live';
import { useStore } from '../store';
import { AdminButton, Badge, Button, Check, Choice, Empty, Field, Fold, Headers, Panel, Refusal } from '../ui/parts';
import { headersOf } from './destinations';

const messagesMax = 200;
const shownMax = 65_536;

interface Received {
  key: number;
  at: number;
  message: IMessage;
  body: string;
  settled: '' | 'acknowledged' | 'given back';
}

/** A connection that is made when it is first needed and ends with the page. */
function useStomp() {
  const [problem, setProblem] = useState<Problem>();
  const client = useRef<Client>();
  useEffect(() => () => void client.current?.deactivate(), []);
  const connected = (): Promise<Client> =>
    new Promise((resolve, reject) => {
      setProblem(undefined);
      if (client.current?.connected) return resolve(client.current);
      void client.current?.deactivate();
      const made = stompClient(session.value?.token ?? '');
      made.reconnectDelay = 0;
      made.onConnect = () => resolve(made);
      made.onStompError = ({ headers, body }: IFrame) => {
        const refused = new Problem(400, body || headers.message || 'The broker refused it.', headers.message);
        setProblem(refused);
        reject(refused);
      };
      made.onWebSocketClose = () => reject(new Problem(0, 'The connection to the broker was lost.'));
      client.current = made;
      made.activate();
    });
  return { connected, problem, setProblem };
}

export function Live({ destination, isQueue }: { destination: string; isQueue: boolean }) {
  const stomp = useStomp();
  return (
    <>
      {stomp.problem && <Refusal problem={stomp.problem} />}
      <div class="columns half">
        <Publish destination={destination} connected={stomp.connected} setProblem={stomp.setProblem} />
        <Subscribe destination={destination} isQueue={isQueue} connected={stomp.connected} setProblem={stomp.setProblem} />
      </div>
    </>
  );
}

interface PartProps {
  destination: string;
  connected: () => Promise<Client>;
  setProblem: (problem: Problem) => void;
}

function asProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem(0, String(error));
}

function Publish({ destination, connected, setProblem }: PartProps) {
  const [body, setBody] = useState('{"hello": "world"}');
  const [text, setText] = useState('content-type: application/json');
  const [sent, setSent] = useState(0);
  const isAdmin = useStore(session)?.isAdmin;
  const publish = async () => {
    try {
      const client = await connected();
      const receipt = `console-${Date.now()}-${sent}`;
      client.watchForReceipt(receipt, () => setSent((n) => n + 1));
      client.publish({ destination, body, headers: { ...headersOf(text), receipt } });
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  return (
    <Panel title="Publish">
      <div
        class="stack"
        onKeyDown={(event) => {
          if (isAdmin && event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void publish();
        }}
      >
        <Field label="Headers">
          <textarea rows={2} class="mono" spellcheck={false} value={text} onInput={(event) => setText(event.currentTarget.value)} />
        </Field>
        <Field label="Body">
          <textarea rows={7} class="mono" name="body" spellcheck={false} value={body} onInput={(event) => setBody(event.currentTarget.value)} />
        </Field>
        <div class="row">
          <AdminButton kind="primary" title="Ctrl Enter" onClick={() => void publish()}>
            Publish
          </AdminButton>
          <span class="muted" role="status">
            {sent > 0 && `${count(sent)} confirmed by the broker`}
          </span>
        </div>
      </div>
    </Panel>
  );
}

const modes = [
  ['auto', 'take'],
  ['client-individual', 'decide for each'],
] as const;
type Mode = (typeof modes)[number][0];

function useReceived() {
  const [all, setAll] = useState<Received[]>([]);
  const [total, setTotal] = useState(0);
  const pending = useRef<Received[]>([]);
  const nextKey = useRef(0);
  const show = () => {
    const news = pending.current;
    pending.current = [];
    setAll((old) => [...news.reverse(), ...old].slice(0, messagesMax));
    setTotal(nextKey.current);
  };
  const add = (message: IMessage) => {
    if (pending.current.length === 0) setTimeout(show, 100);
    const received: Received = { key: nextKey.current++, at: Date.now(), message, body: message.body, settled: '' };
    pending.current = [...pending.current.slice(1 - messagesMax), received];
  };
  const settle = (key: number, settled: Received['settled']) =>
    setAll((old) => old.map((one) => (one.key === key ? { ...one, settled } : one)));
  return { all, total, add, settle, clear: () => setAll([]) };
}

function Subscribe({ destination, isQueue, connected, setProblem }: PartProps & { isQueue: boolean }) {
  const [mode, setMode] = useState<Mode>(isQueue ? 'client-individual' : 'auto');
  const [subscription, setSubscription] = useState<StompSubscription>();
  const [isPaused, setPaused] = useState(false);
  const received = useReceived();
  const paused = useRef(false);
  paused.current = isPaused;
  const start = async () => {
    try {
      const client = await connected();
      client.onWebSocketClose = () => setSubscription(undefined);
      setSubscription(client.subscribe(destination, (message) => paused.current || received.add(message), { ack: mode }));
    } catch (error) {
      setProblem(asProblem(error));
    }
  };
  const stop = () => {
    subscription?.unsubscribe();
    setSubscription(undefined);
  };
  const settle = (one: Received, isGood: boolean) => {
    if (isGood) one.message.ack();
    else one.message.nack();
    received.settle(one.key, isGood ? 'acknowledged' : 'given back');
  };
  const controls = (
    <>
      {received.all.length > 0 && (
        <Button kind="ghost" onClick={received.clear}>
          Clear
        </Button>
      )}
      {subscription && !isQueue && <Check label="pause" checked={isPaused} onChange={setPaused} />}
      {subscription ? (
        <Button icon="stop" onClick={stop}>
          Unsubscribe
        </Button>
      ) : (
        <AdminButton icon="play" kind="primary" onClick={() => void start()}>
          Subscribe
        </AdminButton>
      )}
    </>
  );
  return (
    <Panel title={received.total ? `Received (${count(received.total)})` : 'Received'} aside={controls} flush>
      {isQueue && !subscription && (
        <div class="pad row wrap">
          <span class="muted">Messages of the queue:</span>
          <Choice label="Acknowledge" options={modes} value={mode} onChange={setMode} />
        </div>
      )}
      {received.all.length === 0 ? (
        <Empty icon="subscriptions" title={subscription ? 'Waiting for a message' : 'Not subscribed'}>
          {subscription ? 'Messages appear as they come.' : isQueue ? 'Who subscribes to a queue takes part in its work.' : 'Subscribe to see messages as they come.'}
        </Empty>
      ) : (
        <div class="frames">
          {received.all.map((one) => (
            <ReceivedLine key={one.key} one={one} canSettle={mode !== 'auto' && Boolean(subscription)} onSettle={settle} />
          ))}
        </div>
      )}
    </Panel>
  );
}

function ReceivedLine(props: { one: Received; canSettle: boolean; onSettle: (one: Received, isGood: boolean) => void }) {
  const { one, canSettle, onSettle } = props;
  const shown = one.body.slice(0, shownMax);
  return (
    <Fold
      summary={
        <>
          <time>{clock(one.at, true)}</time>
          {one.settled && <Badge tone={one.settled === 'acknowledged' ? 'good' : 'warn'}>{one.settled}</Badge>}
          <span class="line">{shown.slice(0, 300)}</span>
          <span class="size">{bytes(one.message.binaryBody.length)}</span>
        </>
      }
    >
      {() => (
        <>
          {canSettle && !one.settled && (
            <div class="row">
              <Button onClick={() => onSettle(one, true)}>Acknowledge</Button>
              <Button onClick={() => onSettle(one, false)}>Give back</Button>
            </div>
          )}
          <Headers headers={Object.entries(one.message.headers)} />
          <pre class="body">{pretty(shown)}</pre>
        </>
      )}
    </Fold>
  );
}

