// Calls of the admin API with the token, which is kept in memory and nowhere else.
// Limits: a call that has no answer after 15 s fails.
import { Store } from './store';

/** Who the page is for the broker. */
export interface Session {
  token: string;
  isAdmin: boolean;
}

export const session = new Store<Session | null>(null);

/** Why the page asks for a token; empty at first. */
export const farewell = new Store('');

/** The broker does not answer at present. */
export const isUnreachable = new Store(false);

/** What a call was refused with; `status` 0: the broker did not answer. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly reason = '',
  ) {
    super(message);
  }
}

export interface CallOptions {
  query?: Record<string, string | number | boolean | undefined>;
  body?: unknown;
  signal?: AbortSignal;
}

const timeLimit = 15_000;

export function address(path: string, query: CallOptions['query'] = {}): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') params.set(name, String(value));
  }
  const text = params.toString();
  return `/api/v1${path}${text && `?${text}`}`;
}

async function problemOf(response: Response): Promise<Problem> {
  const text = await response.text();
  try {
    const { detail, title, reason } = JSON.parse(text) as Record<string, string>;
    return new Problem(response.status, detail || title || response.statusText, reason);
  } catch {
    return new Problem(response.status, text.slice(0, 300).trim() || `The broker answered ${response.status}.`);
  }
}

/** The response itself, once it is known to be good; `token` is the session's unless given. */
export async function request(
  method: string,
  path: string,
  { query, body, signal }: CallOptions = {},
  token = session.value?.token ?? '',
): Promise<Response> {
  const headers: Record<string, string> = { Authorization: `Bearer ${token}` };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  const init: RequestInit = { method, headers, cache: 'no-store', credentials: 'omit' };
  if (body !== undefined) init.body = JSON.stringify(body);
  if (signal) init.signal = signal;
  let response: Response;
  try {
    response = await fetch(address(path, query), init);
  } catch (error) {
    if (signal?.aborted && signal.reason !== late) throw error;
    isUnreachable.set(true);
    throw new Problem(0, 'The broker does not answer.');
  }
  isUnreachable.set(false);
  if (response.ok) return response;
  if (response.status === 401 && session.value?.token === token) leave('The broker no longer takes this token.');
  throw await problemOf(response);
}

const late = new Error('no answer');

/** The answer as JSON; undefined where there is none. */
export async function call<T>(method: string, path: string, options: CallOptions = {}, token?: string): Promise<T> {
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(late), timeLimit);
  const cancel = () => limit.abort(options.signal?.reason);
  options.signal?.addEventListener('abort', cancel);
  try {
    const response = await request(method, path, { ...options, signal: limit.signal }, token);
    const text = await response.text();
    return (text ? JSON.parse(text) : undefined) as T;
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', cancel);
  }
}

/** Tries a token and learns what it may do. */
export async function enter(token: string): Promise<void> {
  await call('GET', '/overview', {}, token);
  let isAdmin = true;
  try {
    await call('GET', '/config', {}, token);
  } catch (error) {
    if (!(error instanceof Problem) || error.status !== 403) throw error;
    isAdmin = false;
  }
  farewell.set('');
  session.set({ token, isAdmin });
}

export function leave(why = ''): void {
  farewell.set(why);
  session.set(null);
}

/** One segment of a path. */
export const segment = encodeURIComponent;
