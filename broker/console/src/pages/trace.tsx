// The frames of one connection as they pass: server-sent events, read from a fetch that carries the token.
// Limits: the newest 500 frames are kept; the server ends after five minutes or 10 MiB.
import { useEffect, useRef, useState } from 'preact/hooks';
import { Problem, request, segment, session } from '../api';
import { bytes, clock, pretty } from '../format';
import { useStore } from '../store';
import type { TraceEvent } from '../types';
import { AdminButton, Badge, Button, Check, Empty, Fold, Headers, Panel, Refusal } from '../ui/parts';

const framesMax = 500;

interface Frame extends TraceEvent {
  key: number;
}

/** Calls `onEvent(name, data)` for each event of the stream until it ends. */
async function readEvents(response: Response, onEvent: (name: string, data: string) => void): Promise<void> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true };
    if (done) return;
    text = (text + value).replace(/\r/g, '');
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const lines = block.split('\n');
      const field = (name: string) =>
        lines.filter((line) => line.startsWith(`${name}:`)).map((line) => line.slice(name.length + 1).replace(/^ /, ''));
      const data = field('data');
      if (data.length) onEvent(field('event')[0] ?? 'message', data.join('\n'));
    }
  }
}

function useTrace(id: string) {
  const [frames, setFrames] = useState<Frame[]>([]);
  const [problem, setProblem] = useState<Problem>();
  const [running, setRunning] = useState<AbortController>();
  const [ending, setEnding] = useState('');
  const pending = useRef<Frame[]>([]);
  const nextKey = useRef(0);
  useEffect(() => () => running?.abort(), [running]);
  const show = () => {
    const news = pending.current;
    pending.current = [];
    setFrames((old) => [...news.reverse(), ...old].slice(0, framesMax));
  };
  const note = (name: string, data: string) => {
    if (name !== 'frame') return setEnding(data.replace(/^"|"$/g, ''));
    if (pending.current.length === 0) setTimeout(show, 100);
    pending.current = [...pending.current.slice(1 - framesMax), { ...(JSON.parse(data) as TraceEvent), key: nextKey.current++ }];
  };
  const start = async (bodies: boolean) => {
    const end = new AbortController();
    setRunning(end);
    setProblem(undefined);
    setEnding('');
    try {
      const query = { seconds: 300, bodies };
      await readEvents(await request('GET', `/connections/${segment(id)}/trace`, { query, signal: end.signal }), note);
    } catch (error) {
      if (!end.signal.aborted) setProblem(error instanceof Problem ? error : new Problem(0, 'The trace was cut off.'));
    }
    setRunning(undefined);
  };
  return { frames, problem, ending, running, start, stop: () => running?.abort(), clear: () => setFrames([]) };
}

export function Trace({ id, isGone }: { id: string; isGone: boolean }) {
  const { frames, problem, ending, running, start, stop, clear } = useTrace(id);
  const [bodies, setBodies] = useState(false);
  const isAdmin = useStore(session)?.isAdmin;
  const controls = (
    <>
      {frames.length > 0 && (
        <Button kind="ghost" onClick={clear}>
          Clear
        </Button>
      )}
      {isAdmin && !running && <Check label="with bodies" checked={bodies} onChange={setBodies} />}
      {running ? (
        <Button icon="stop" onClick={stop}>
          Stop
        </Button>
      ) : (
        <AdminButton icon="play" onClick={() => void start(bodies)} disabled={isGone}>
          Start
        </AdminButton>
      )}
    </>
  );
  return (
    <Panel title="Frames" aside={controls} flush>
      {problem && <Refusal problem={problem} />}
      {frames.length === 0 ? (
        <Empty icon={running ? 'overview' : 'logs'} title={running ? 'Waiting for a frame' : 'The trace is off'}>
          {running
            ? 'Frames and heart-beats appear as they pass.'
            : 'It shows the frames of this connection as they pass, secrets masked, for five minutes at most.'}
        </Empty>
      ) : (
        <div class="frames">
          {frames.map((frame) => (
            <FrameLine key={frame.key} frame={frame} />
          ))}
        </div>
      )}
      {ending && !running && <p class="muted pad">The trace has ended: {ending}</p>}
    </Panel>
  );
}

function FrameLine({ frame }: { frame: Frame }) {
  const { at, direction, command, headers, size, body } = frame;
  const isIn = direction === 'in';
  return (
    <Fold
      summary={
        <>
          <time>{clock(at, true)}</time>
          <span class={`direction ${direction}`} title={isIn ? 'From the client' : 'To the client'}>
            {isIn ? '→' : '←'}
          </span>
          <Badge tone={command === 'ERROR' ? 'bad' : isIn ? 'info' : 'neutral'}>{command}</Badge>
          <span class="line">{headers.map(([name, value]) => `${name}:${value}`).join('  ')}</span>
          <span class="size">{size ? bytes(size) : ''}</span>
        </>
      }
    >
      {() => (
        <>
          <Headers headers={headers} />
          {body !== undefined && body !== '' && <pre class="body">{pretty(body)}</pre>}
        </>
      )}
    </Fold>
  );
}
