// Lines over time on a canvas, one for each page that sends readings. Redraws itself while something moves.
// Holds what it shows and no more: points that have left the window are dropped, lines beyond a limit not taken.

const lines = 24;
const span = 20_000;
const quiet = 3_000;
const margin = { top: 10, right: 14, bottom: 22, left: 34 };

export class Chart {
  #canvas;
  #context;
  #lines = new Map();
  #colours = {};

  constructor(canvas) {
    this.#canvas = canvas;
    this.#context = canvas.getContext('2d');
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#readColours());
    this.#readColours();
    requestAnimationFrame(() => this.#draw());
  }

  /** Adds a reading of `sender` {id, name, colour}; it is drawn where it belongs now. */
  add(sender, value) {
    const line = this.#lines.get(sender.id) ?? { points: [] };
    if (!line.sender && this.#lines.size === lines) return;
    line.sender = sender;
    line.points.push({ at: performance.now(), value });
    this.#lines.set(sender.id, line);
  }

  /** Senders with a reading in the last seconds, with that reading. */
  get active() {
    const since = performance.now() - quiet;
    return [...this.#lines.values()]
      .map(({ sender, points }) => ({ sender, last: points.at(-1) }))
      .filter(({ last }) => last.at >= since);
  }

  #readColours() {
    const style = getComputedStyle(this.#canvas);
    const read = (name) => style.getPropertyValue(name).trim();
    const byNumber = Array.from({ length: 8 }, (_, i) => read(`--line-${i}`));
    this.#colours = { grid: read('--grid'), text: read('--muted'), surface: read('--surface'), lines: byNumber };
  }

  #draw() {
    const now = performance.now();
    this.#forget(now - span - quiet);
    const { width, height } = this.#fit();
    const area = {
      left: margin.left,
      right: width - margin.right,
      top: margin.top,
      bottom: height - margin.bottom,
    };
    const x = (at) => area.right - ((now - at) / span) * (area.right - area.left);
    const y = (value) => area.bottom - (value / 100) * (area.bottom - area.top);
    this.#context.clearRect(0, 0, width, height);
    this.#drawGrid(area, x, y, now);
    for (const line of this.#lines.values()) this.#drawLine(line, area, x, y);
    requestAnimationFrame(() => this.#draw());
  }

  #forget(before) {
    for (const [id, { points }] of this.#lines) {
      const kept = points.findIndex((point) => point.at >= before);
      if (kept < 0) this.#lines.delete(id);
      else points.splice(0, kept);
    }
  }

  /** As many device pixels as the screen has. */
  #fit() {
    const { clientWidth: width, clientHeight: height } = this.#canvas;
    const scale = devicePixelRatio || 1;
    const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
    if (this.#canvas.width !== w || this.#canvas.height !== h) Object.assign(this.#canvas, { width: w, height: h });
    this.#context.setTransform(scale, 0, 0, scale, 0, 0);
    return { width, height };
  }

  #drawGrid(area, x, y, now) {
    const context = this.#context;
    context.font = '11px system-ui, sans-serif';
    context.fillStyle = this.#colours.text;
    context.strokeStyle = this.#colours.grid;
    context.lineWidth = 1;
    context.textBaseline = 'middle';
    context.textAlign = 'right';
    for (const value of [0, 25, 50, 75, 100]) {
      const level = Math.round(y(value)) + 0.5;
      context.beginPath();
      context.moveTo(area.left, level);
      context.lineTo(area.right, level);
      context.stroke();
      context.fillText(value, area.left - 8, level);
    }
    context.textBaseline = 'alphabetic';
    const [oldest, step] = [span / 1000, area.right - area.left < 380 ? 10 : 5];
    for (let ago = oldest; ago >= 0; ago -= step) {
      context.textAlign = ago === 0 ? 'right' : ago === oldest ? 'left' : 'center';
      context.fillText(ago === 0 ? 'now' : `${ago} s ago`, x(now - ago * 1000), area.bottom + 16);
    }
  }

  #drawLine({ sender, points }, area, x, y) {
    const context = this.#context;
    const colour = this.#colours.lines[sender.colour % this.#colours.lines.length];
    context.save();
    context.beginPath();
    context.rect(area.left, 0, area.right - area.left + margin.right, area.bottom + 6);
    context.clip();
    context.strokeStyle = colour;
    context.lineWidth = 2;
    context.lineJoin = 'round';
    context.beginPath();
    let last = -Infinity;
    for (const { at, value } of points) {
      if (at - last > quiet) context.moveTo(x(at), y(value));
      else context.lineTo(x(at), y(value));
      last = at;
    }
    context.stroke();
    this.#drawHead(points.at(-1), colour, x, y);
    context.restore();
  }

  #drawHead({ at, value }, colour, x, y) {
    const context = this.#context;
    context.beginPath();
    context.arc(x(at), y(value), 4, 0, 2 * Math.PI);
    context.fillStyle = colour;
    context.fill();
    context.strokeStyle = this.#colours.surface;
    context.stroke();
  }
}
