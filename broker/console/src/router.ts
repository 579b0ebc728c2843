// Which page is shown: the URL's fragment, such as #/connections?match=alice.
// Limits: none.
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

/** The token of a link such as /#token=...; it is taken out of the address bar and of the history at once. */
export function takeToken(): string {
  const found = /^#token=(.+)$/.exec(location.hash);
  if (!found) return '';
  history.replaceState(null, '', location.pathname);
  route.set(parse());
  return decoded(found[1] ?? '');
}

export const route = new Store<Route>(parse());
window.addEventListener('hashchange', () => {
  if (!location.hash.startsWith('#token=')) route.set(parse());
});

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
