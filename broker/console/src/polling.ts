// What the server knows now, asked again and again while the page is visible.
// Limits: one request under way for each place on the page.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { call, Problem } from './api';

export interface Polled<T> {
  /** The newest answer; kept while the next one is awaited or fails. */
  data: T | undefined;
  error: Problem | undefined;
  /** `data` answers an earlier question. */
  isStale: boolean;
  reload: () => void;
}

interface Answer<T> {
  path: string;
  data?: T;
  error?: Problem;
}

/** Asks `path` every `interval` milliseconds; an empty path: not at all. */
export function usePoll<T>(path: string, interval = 2000): Polled<T> {
  const [answer, setAnswer] = useState<Answer<T>>({ path: '' });
  const ask = useRef<() => void>(() => {});
  useEffect(() => {
    if (!path) return;
    const end = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isAsking = false;
    const next = async () => {
      clearTimeout(timer);
      if (isAsking) return;
      isAsking = true;
      try {
        const data = await call<T>('GET', path, { signal: end.signal });
        if (!end.signal.aborted) setAnswer({ path, data });
      } catch (error) {
        if (end.signal.aborted) return;
        const problem = error instanceof Problem ? error : new Problem(0, String(error));
        setAnswer((last) => ({ ...last, error: problem }));
      } finally {
        isAsking = false;
      }
      if (!end.signal.aborted && !document.hidden) timer = setTimeout(next, interval);
    };
    const wake = () => !document.hidden && void next();
    ask.current = () => void next();
    document.addEventListener('visibilitychange', wake);
    void next();
    return () => {
      end.abort();
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', wake);
    };
  }, [path, interval]);
  const reload = useCallback(() => ask.current(), []);
  return { data: answer.data, error: answer.error, isStale: answer.path !== path, reload };
}
