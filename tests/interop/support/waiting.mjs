// Waiting for events, never for time: every wait is bounded and says what it waited for.
// The bound only ends a test that is lost; no outcome depends on it.
import { once } from 'node:events';

export const patience = 15_000;

/** `promise`, or after `ms` a failure that names `what` never came. */
export async function bounded(promise, what, ms = patience) {
  let timer;
  const lost = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not come within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, lost]);
  } finally {
    clearTimeout(timer);
  }
}

/** The first `event` of `emitter`, bounded. */
export async function next(emitter, event, what = `event "${event}"`) {
  const [value] = await bounded(once(emitter, event), what);
  return value;
}

/** A promise with its two ends outside. */
export function deferred() {
  const result = {};
  result.promise = new Promise((resolve, reject) => Object.assign(result, { resolve, reject }));
  result.promise.catch(() => {});
  return result;
}

/** What arrives, in order. Whoever asks first gets first. */
export class Inbox {
  #what;
  #items = [];
  #waiting = [];
  #failure;

  constructor(what) {
    this.#what = what;
  }

  push(item) {
    const waiting = this.#waiting.shift();
    if (waiting) waiting.resolve(item);
    else this.#items.push(item);
  }

  /** Ends every present and future wait with `error`, once what has arrived is taken. */
  fail(error) {
    this.#failure = error;
    for (const waiting of this.#waiting.splice(0)) waiting.reject(error);
  }

  get size() {
    return this.#items.length;
  }

  async next(what = this.#what) {
    if (this.#items.length) return this.#items.shift();
    if (this.#failure) throw this.#failure;
    const waiting = deferred();
    this.#waiting.push(waiting);
    return bounded(waiting.promise, what);
  }

  async take(count) {
    const taken = [];
    while (taken.length < count) taken.push(await this.next(`${this.#what} ${taken.length + 1} of ${count}`));
    return taken;
  }
}

/** Counts by name; `reaches` waits for a count. */
export class Counter {
  #counts = new Map();
  #waiting = [];

  count(name) {
    this.#counts.set(name, this.of(name) + 1);
    this.#waiting = this.#waiting.filter(({ goal, done }) => !(this.of(goal[0]) >= goal[1] && (done.resolve(), true)));
  }

  of(name) {
    return this.#counts.get(name) ?? 0;
  }

  async reaches(name, count) {
    if (this.of(name) >= count) return;
    const done = deferred();
    this.#waiting.push({ goal: [name, count], done });
    await bounded(done.promise, `"${name}" number ${count} (so far ${this.of(name)})`);
  }
}
