// A value that components watch.
// Limits: none of its own; each store bounds what it keeps.
import { useEffect, useState } from 'preact/hooks';

export class Store<T> {
  #value: T;
  #watchers = new Set<() => void>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  set(value: T): void {
    if (Object.is(value, this.#value)) return;
    this.#value = value;
    for (const watcher of [...this.#watchers]) watcher();
  }

  watch(watcher: () => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }
}

/** The value of a store; the component is drawn again when it changes. */
export function useStore<T>(store: Store<T>): T {
  const [, draw] = useState(0);
  useEffect(() => {
    let seen = store.value;
    const look = () => {
      if (Object.is(seen, store.value)) return;
      seen = store.value;
      draw((n) => n + 1);
    };
    return store.watch(look);
  }, [store]);
  return store.value;
}
