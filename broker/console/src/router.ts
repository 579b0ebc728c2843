// Which page is shown: the URL's fragment, such as #/connections?match=alice.
// Limits: none.
import { session } from './api';
import { Store } from './store';

export interface Route {
  /** Decoded segments: ['connections', ID]. */
  path: string[];
  query: URLSearchParams;
}

function parse(): Route {
  const [path = '', query = ''] = location.hash.replace(/^#\/?/, '').split('?', 2);
  return { path: path.split('/').map(decoded), query: new URLSearchParams(query) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The token that a link such as /#token=... has brought and nobody has tried yet. */
export const offered = new Store('');

export const route = new Store<Route>({ path: [''], query: new URLSearchParams() });

/** Reads the fragment; a token is taken out of the address bar and of the history at once. */
function read(): void {
  const found = /^#token=(.+)$/.exec(location.hash);
  if (found) {
    history.replaceState(null, '', location.pathname);
    if (!session.value) offered.set(decoded(found[1] ?? ''));
  }
  route.set(parse());
}

read();
window.addEventListener('hashchange', read);

/** The link to a page: href('connections', id). */
export function href(...path: string[]): string {
  return `#/${path.map(encodeURIComponent).join('/')}`;
}

export function go(...path: string[]): void {
  location.hash = href(...path);
}

/** Changes part of the query without a new entry in the history; an empty value takes it out. */
export function setQuery(changes: Record<string, string>): void {
  const query = new URLSearchParams(route.value.query);
  for (const [name, value] of Object.entries(changes)) {
    if (value) query.set(name, value);
    else query.delete(name);
  }
  const text = query.toString();
  const path = route.value.path.map(encodeURIComponent).join('/');
  history.replaceState(null, '', `#/${path}${text && `?${text}`}`);
  route.set({ path: route.value.path, query });
}
