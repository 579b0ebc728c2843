// The log as it is written.
// Limits: the newest 1000 lines are kept here, as in the broker.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { call, Problem, session } from '../api';
import { clock, moment } from '../format';
import { usePoll } from '../polling';
import { route, setQuery } from '../router';
import { useStore } from '../store';
import type { Level, LogLine } from '../types';
import { attempt } from '../ui/dialog';
import { Badge, Check, Choice, Empty, Fold, Headers, Loading, needsAdmin, Panel, Refusal, Search, type Tone } from '../ui/parts';

const linesMax = 1000;
const levels: Level[] = ['trace', 'debug', 'info', 'warn', 'error'];
const tones: Record<Level, Tone> = { trace: 'neutral', debug: 'neutral', info: 'info', warn: 'warn', error: 'bad' };
const filters = [
  ['trace', 'All'],
  ['info', 'Info'],
  ['warn', 'Warnings'],
  ['error', 'Errors'],
] as const;

interface Line extends LogLine {
  key: number;
}

/** The lines so far, newest first; asks once a second for what is newer. */
function useTail(isPaused: boolean) {
  const [lines, setLines] = useState<Line[]>();
  const [problem, setProblem] = useState<Problem>();
  const newest = useRef('');
  const nextKey = useRef(0);
  useEffect(() => {
    if (isPaused) return;
    const end = new AbortController();
    const look = async () => {
      if (document.hidden) return;
      try {
        const query = { after: newest.current, limit: linesMax };
        const { items } = await call<{ items: LogLine[] }>('GET', '/logs', { query, signal: end.signal });
        setProblem(undefined);
        items.sort((a, b) => (a.at < b.at ? -1 : 1));
        newest.current = items.at(-1)?.at ?? newest.current;
        const news = items.map((line) => ({ ...line, key: nextKey.current++ })).reverse();
        if (news.length) setLines((old) => [...news, ...(old ?? [])].slice(0, linesMax));
        else setLines((old) => old ?? []);
      } catch (error) {
        if (!end.signal.aborted && error instanceof Problem && error.status !== 0) setProblem(error);
      }
    };
    void look();
    const timer = setInterval(look, 1000);
    return () => {
      end.abort();
      clearInterval(timer);
    };
  }, [isPaused]);
  return { lines, problem };
}

function LevelChoice() {
  const { data, reload } = usePoll<{ level: Level }>('/log-levels', 10_000);
  const isAdmin = useStore(session)?.isAdmin ?? false;
  if (!data) return null;
  const change = (level: string) =>
    attempt(async () => {
      await call('PUT', '/log-levels', { body: { level } });
      reload();
      return `The broker logs from ${level} on, until its next start or reload.`;
    });
  return (
    <label class="row">
      <span class="muted">Written from</span>
      <select
        name="level"
        value={data.level}
        disabled={!isAdmin}
        title={isAdmin ? undefined : needsAdmin}
        onChange={(event) => void change(event.currentTarget.value)}
      >
        {levels.map((level) => (
          <option key={level}>{level}</option>
        ))}
      </select>
    </label>
  );
}

export function Logs() {
  const [isPaused, setPaused] = useState(false);
  const { lines, problem } = useTail(isPaused);
  const { query } = useStore(route);
  const text = query.get('match') ?? '';
  const least = (query.get('level') ?? 'trace') as Level;
  const shown = useMemo(() => {
    const wanted = text.toLowerCase();
    return (lines ?? []).filter(
      (line) =>
        levels.indexOf(line.level) >= levels.indexOf(least) &&
        (!wanted || `${line.event} ${line.message} ${Object.values(line.fields).join(' ')}`.toLowerCase().includes(wanted)),
    );
  }, [lines, text, least]);
  return (
    <>
      <div class="page-head">
        <h1>Logs</h1>
        <Choice label="Least level shown" options={filters} value={least as 'trace'} onChange={(level) => setQuery({ level: level === 'trace' ? '' : level })} />
        <Search value={text} onInput={(match) => setQuery({ match })} placeholder="Text, event, field" />
        <Check label="pause" checked={isPaused} onChange={setPaused} />
        <span class="spring" />
        <LevelChoice />
      </div>
      <Panel flush label="Log lines">
        {problem && <Refusal problem={problem} />}
        {!lines && !problem && <Loading />}
        {lines && shown.length === 0 && <Empty icon="logs" title={lines.length ? 'Nothing matches' : 'Nothing was logged yet'} />}
        <div class="frames log">
          {shown.map((line) => (
            <LogRow key={line.key} line={line} />
          ))}
        </div>
      </Panel>
    </>
  );
}

function LogRow({ line }: { line: Line }) {
  const { at, level, event, message, fields } = line;
  const rest = Object.entries(fields).filter(([, value]) => value !== '');
  return (
    <Fold
      summary={
        <>
          <time title={moment(at)}>{clock(at, true)}</time>
          <Badge tone={tones[level] ?? 'neutral'}>{level}</Badge>
          <span class="event">{event}</span>
          <span class="line">
            {message}
            {rest.length > 0 && <span class="muted">{rest.map(([name, value]) => `  ${name}=${value}`).join('')}</span>}
          </span>
        </>
      }
    >
      {() => <Headers headers={[['at', at], ['event', event], ['message', message], ...rest]} />}
    </Fold>
  );
}
