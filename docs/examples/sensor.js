// A simulated sensor: a level that the user sets, some noise, and a walk of its own if it may.
// Calls `onReading(value)` at the set rate while it is running.

const clamp = (value) => Math.min(100, Math.max(0, value));

export class Sensor {
  level = 50;
  wanders = true;
  #drift = 0;
  #timer;
  #perSecond = 10;
  #onReading;

  constructor(onReading) {
    this.#onReading = onReading;
  }

  set perSecond(rate) {
    this.#perSecond = rate;
    if (this.#timer) this.start();
  }

  start() {
    this.stop();
    this.#timer = setInterval(() => this.#onReading(this.#next()), 1000 / this.#perSecond);
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #next() {
    const step = 12 / Math.sqrt(this.#perSecond);
    this.#drift = this.wanders ? 0.985 * this.#drift + (Math.random() - 0.5) * step : 0.8 * this.#drift;
    return Math.round(10 * clamp(this.level + this.#drift)) / 10;
  }
}
