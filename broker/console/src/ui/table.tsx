// Tables: dense, sortable, a page of the server's list at a time.
// Limits: rowsMax rows on a page, whatever the server knows.
import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { address, type CallOptions } from '../api';
import { count } from '../format';
import { usePoll, type Polled } from '../polling';
import { route, setQuery } from '../router';
import { useStore } from '../store';
import type { Page } from '../types';
import { Button, Empty, Loading, Refusal } from './parts';

export const rowsMax = 100;

export interface Column<T> {
  title: string;
  /** Key of the server's `sort`. */
  sort?: string;
  numeric?: boolean;
  /** From which width on it is shown: 2 tablet, 3 desktop; else always. */
  from?: 2 | 3;
  /** Share of the width in the fixed layout. */
  width?: string;
  cell: (row: T) => ComponentChildren;
}

interface TableProps<T> {
  columns: Column<T>[];
  rows: T[];
  id: (row: T) => string;
  label: string;
  sort?: string;
  order?: string;
  onSort?: (key: string) => void;
  isStale?: boolean;
}

export function Table<T>({ columns, rows, id, label, sort, order, onSort, isStale }: TableProps<T>) {
  const css = (column: Column<T>) => `${column.numeric ? 'numeric ' : ''}${column.from ? `from-${column.from}` : ''}`;
  return (
    <div class={`table${isStale ? ' stale' : ''}`}>
      <table aria-label={label}>
        <thead>
          <tr>
            {columns.map((column) => (
              <th
                key={column.title}
                class={css(column)}
                style={column.width ? { width: column.width } : undefined}
                aria-sort={column.sort && column.sort === sort ? (order === 'asc' ? 'ascending' : 'descending') : undefined}
              >
                {column.sort && onSort ? (
                  <button type="button" onClick={() => onSort(column.sort ?? '')}>
                    {column.title}
                  </button>
                ) : (
                  column.title
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={id(row)}>
              {columns.map((column) => (
                <td key={column.title} class={css(column)}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The text of a field, and the same once nobody has typed for a moment. */
export function useSearch(): [string, (text: string) => void, string] {
  const settled = useStore(route).query.get('match') ?? '';
  const [text, setText] = useState(settled);
  const typed = useRef(settled);
  useEffect(() => {
    if (text === settled) return;
    const timer = setTimeout(() => {
      typed.current = text;
      setQuery({ match: text });
    }, 200);
    return () => clearTimeout(timer);
  }, [text]);
  useEffect(() => {
    // Changed by something other than typing, such as "Show all".
    if (settled !== typed.current) setText((typed.current = settled));
  }, [settled]);
  return [text, setText, settled];
}

export interface List<T> extends Polled<Page<T>> {
  sort: string;
  order: string;
  onSort: (key: string) => void;
  pages: { number: number; previous: (() => void) | undefined; next: (() => void) | undefined };
}

/** A list of the server: sorted and searched by the URL's query, one page at a time. */
export function useList<T>(path: string, initial: { sort: string; order: string }, filters: CallOptions['query'] = {}): List<T> {
  const { query } = useStore(route);
  const sort = query.get('sort') ?? initial.sort;
  const order = query.get('order') ?? initial.order;
  const question = address(path, { ...filters, match: query.get('match') ?? '', sort, order, limit: rowsMax }).slice('/api/v1'.length);
  const [place, setPlace] = useState<{ question: string; cursors: string[] }>({ question, cursors: [] });
  const cursors = place.question === question ? place.cursors : [];
  // Who comes back to a question begins at its first page.
  useEffect(() => setPlace({ question, cursors: [] }), [question]);
  const cursor = cursors.at(-1);
  const polled = usePoll<Page<T>>(cursor ? `${question}&cursor=${encodeURIComponent(cursor)}` : question);
  const next = polled.isStale ? undefined : polled.data?.next;
  const onSort = (key: string) => {
    const isSame = key === sort;
    const first = ['name', 'user', 'address', 'destination'].includes(key) ? 'asc' : 'desc';
    setQuery({ sort: key, order: isSame ? (order === 'asc' ? 'desc' : 'asc') : first });
  };
  const pages = useMemo(
    () => ({
      number: cursors.length + 1,
      previous: cursors.length > 0 ? () => setPlace({ question, cursors: cursors.slice(0, -1) }) : undefined,
      next: next ? () => setPlace({ question, cursors: [...cursors, next] }) : undefined,
    }),
    [question, cursors, next],
  );
  return { ...polled, sort, order, onSort, pages };
}

interface ListProps<T> {
  list: List<T>;
  columns: Column<T>[];
  id: (row: T) => string;
  label: string;
  nothing: ComponentChildren;
}

/** A list with what there is to say while it loads, fails or is empty. */
export function ListView<T>({ list, columns, id, label, nothing }: ListProps<T>) {
  const { data, error } = list;
  const { query } = useStore(route);
  if (!data) return error && error.status !== 0 ? <Refusal problem={error} onRetry={list.reload} /> : <Loading />;
  const isSearching = Boolean(query.get('match') || query.get('type'));
  if (data.items.length === 0 && list.pages.number === 1) {
    return isSearching ? (
      <Empty icon="search" title="Nothing matches">
        <button type="button" class="link" onClick={() => setQuery({ match: '', type: '' })}>
          Show all
        </button>
      </Empty>
    ) : (
      <>{nothing}</>
    );
  }
  const first = (list.pages.number - 1) * rowsMax + 1;
  return (
    <>
      {error && error.status !== 0 && <Refusal problem={error} onRetry={list.reload} />}
      <Table columns={columns} rows={data.items} id={id} label={label} sort={list.sort} order={list.order} onSort={list.onSort} isStale={list.isStale} />
      <footer class="pages">
        <span>
          {count(first)}–{count(first + data.items.length - 1)} of <b data-total>{count(data.total)}</b>
        </span>
        {(list.pages.previous || list.pages.next) && (
          <span class="row">
            <Button icon="left" title="Previous page (p)" disabled={!list.pages.previous} onClick={() => list.pages.previous?.()} />
            <Button icon="right" title="Next page (n)" disabled={!list.pages.next} onClick={() => list.pages.next?.()} />
          </span>
        )}
      </footer>
    </>
  );
}
