// The connection: one topic, one subscription, and what to tell the user when something is wrong.
// Loses itself and comes back; after a refusal that a repetition cannot mend it waits for the user.

const topic = '/topic/example';

/** Where this page came from is where its broker is. */
export const brokerUrl = `${location.origin.replace(/^http/, 'ws')}/ws`;

/** After these close codes the same attempt fails again. */
const hopeless = new Set([1002, 1007, 1008, 1009]);

const closings = {
  1006: `No answer from ${brokerUrl}. Is the broker running?`,
  1011: 'The broker has failed. Its log says why.',
  1012: 'The broker is restarting.',
  1013: 'The broker is overloaded, or this page reads too slowly.',
};

/**
 * Events: `state` with detail {state, trouble}, where state is "offline", "connecting" or "online" and trouble
 * is undefined or {title, text}; `message` with detail {kind, content}.
 */
export class Broker extends EventTarget {
  #client;
  #trouble;

  async connect() {
    this.#report('connecting');
    this.#client ??= await this.#createClient();
    this.#client?.activate();
  }

  async disconnect() {
    this.#trouble = undefined;
    await this.#client?.deactivate();
    this.#report('offline');
  }

  get isOnline() {
    return this.#client?.connected ?? false;
  }

  /** Publishes `content` as JSON; `kind` travels as a header. Does nothing while offline. */
  publish(kind, content) {
    if (!this.isOnline) return;
    this.#client.publish({
      destination: topic,
      headers: { kind, 'content-type': 'application/json' },
      body: JSON.stringify(content),
    });
  }

  async #createClient() {
    const stomp = await import('./node_modules/@stomp/stompjs/esm6/index.js').catch(() => undefined);
    if (!stomp) {
      const title = 'The STOMP client is not installed';
      this.#report('offline', { title, text: 'Run "npm ci" in docs/examples, then load this page again.' });
      return undefined;
    }
    return new stomp.Client({
      brokerURL: brokerUrl,
      connectHeaders: { login: 'guest', passcode: 'guest' },
      connectionTimeout: 10_000,
      reconnectDelay: 500,
      maxReconnectDelay: 8_000,
      reconnectTimeMode: stomp.ReconnectionTimeMode.EXPONENTIAL,
      onConnect: () => this.#subscribe(),
      onStompError: (frame) => this.#refused(frame),
      onWebSocketClose: (event) => this.#closed(event),
    });
  }

  #subscribe() {
    this.#trouble = undefined;
    this.#client.subscribe(topic, ({ headers, body }) => this.#received(headers.kind, body));
    this.#report('online');
  }

  #received(kind, body) {
    try {
      this.dispatchEvent(new CustomEvent('message', { detail: { kind, content: JSON.parse(body) } }));
    } catch (error) {
      console.warn('Somebody else uses this topic:', body, error);
    }
  }

  /** ERROR: a token, and a body that says what was wrong and what to do about it. The close comes next. */
  #refused({ headers, body }) {
    this.#trouble = { title: `The broker refused: ${headers.message}`, text: body };
  }

  #closed({ code, reason }) {
    const isOver = !this.#client.active;
    if (isOver) return;
    const title = `Connection lost (${code}${reason ? ` ${reason}` : ''})`;
    const trouble = this.#trouble ?? { title, text: closings[code] ?? 'The network or the broker ended it.' };
    if (hopeless.has(code)) {
      this.#client.deactivate();
      this.#report('offline', trouble);
    } else {
      this.#report('connecting', trouble);
    }
  }

  #report(state, trouble = this.#trouble) {
    this.#trouble = state === 'online' ? undefined : trouble;
    this.dispatchEvent(new CustomEvent('state', { detail: { state, trouble: this.#trouble } }));
  }
}
