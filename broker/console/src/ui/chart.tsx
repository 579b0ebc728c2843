// Moving charts (uPlot) and sparklines.
// Limits: what the stores behind them keep.
import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { clock } from '../format';
import { useStore } from '../store';
import { isDark } from '../theme';

export interface Series {
  name: string;
  /** A custom property of style.css. */
  color: string;
  values: (number | null)[];
}

interface ChartProps {
  label: string;
  /** Seconds since 1970, ascending. */
  times: number[];
  series: Series[];
  format: (value: number) => string;
  height?: number;
  /** Its numbers are octets: the axis counts in powers of two. */
  isBytes?: boolean;
  /** What the axis reaches at least. */
  least: number;
  /** Seconds that are shown up to the newest time. */
  window: number;
}

const cursor = uPlot.sync('charts');
const powers = Array.from({ length: 50 }, (_, i) => 2 ** i);

function colorOf(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function optionsOf({ series, format, least, isBytes, height = 150 }: ChartProps, width: number): uPlot.Options {
  const ink = colorOf('--ink-3');
  const font = '11px system-ui, sans-serif';
  const axis = { stroke: ink, font, grid: { stroke: colorOf('--line'), width: 1 }, ticks: { show: false } };
  return {
    width,
    height,
    padding: [8, 26, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: cursor.key }, y: false, points: { size: 6 }, drag: { x: false, y: false } },
    scales: { x: { time: true }, y: { range: (_, __, max) => [0, Math.max(max * 1.15, least)] } },
    axes: [
      { ...axis, size: 22, space: 70, values: (_, splits) => splits.map((at) => clock(at * 1000)) },
      { ...axis, size: 60, space: 30, values: (_, splits) => splits.map(format), ...(isBytes ? { incrs: powers } : {}) },
    ],
    series: [
      {},
      ...series.map(({ name, color }) => ({
        label: name,
        stroke: colorOf(color),
        width: 1.5,
        fill: `${colorOf(color)}14`,
        points: { show: false },
      })),
    ],
  };
}

export function Chart(props: ChartProps) {
  const { label, times, series, format, window: seconds } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>();
  const legend = useRef<HTMLDivElement>(null);
  const newest = useRef(props);
  newest.current = props;
  const dark = useStore(isDark);

  const tell = (index: number | null | undefined) => {
    const { series: all, format: text } = newest.current;
    legend.current?.querySelectorAll('b').forEach((place, i) => {
      const value = index == null ? all[i]?.values.at(-1) : all[i]?.values[index];
      place.textContent = value == null ? '–' : text(value);
    });
  };

  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const made = new uPlot(optionsOf(newest.current, element.clientWidth || 300), [[]], element);
    made.hooks.setCursor = [(self: uPlot) => tell(self.cursor.idx)];
    plot.current = made;
    const watcher = new ResizeObserver(() => {
      if (element.clientWidth) made.setSize({ width: element.clientWidth, height: newest.current.height ?? 150 });
    });
    watcher.observe(element);
    return () => {
      watcher.disconnect();
      made.destroy();
      plot.current = undefined;
    };
  }, [dark, series.length]);

  useEffect(() => {
    const made = plot.current;
    if (!made) return;
    made.setData([times, ...series.map(({ values }) => values)], false);
    const end = times.at(-1) ?? Date.now() / 1000;
    made.batch(() => {
      made.setScale('x', { min: end - seconds, max: end });
    });
    if (made.cursor.idx == null || (made.cursor.left ?? -1) < 0) tell(null);
  }, [times, series, seconds, dark]);

  return (
    <figure class="chart" aria-label={label}>
      <figcaption>
        <span class="title">{label}</span>
        <div class="legend" ref={legend}>
          {series.map(({ name, color, values }) => (
            <span key={name}>
              <i style={{ background: `var(${color})` }} />
              {name} <b>{values.at(-1) == null ? '–' : format(values.at(-1) ?? 0)}</b>
            </span>
          ))}
        </div>
      </figcaption>
      <div class="plot" ref={place} />
    </figure>
  );
}

/** The last values as one small line. */
export function Sparkline({ values, label }: { values: number[]; label: string }) {
  const width = 84;
  const height = 20;
  const top = Math.max(...values, 0);
  const step = width / (sparkMax - 1);
  const y = (value: number) => (top === 0 ? height - 1 : height - 1 - (value / top) * (height - 3));
  const line = values.map((value, i) => `${(i * step).toFixed(1)},${y(value).toFixed(1)}`).join(' ');
  return (
    <svg class={`sparkline${top === 0 ? ' idle' : ''}`} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      {values.length > 1 && <polyline points={line} />}
    </svg>
  );
}

export const sparkMax = 30;

/** Remembers the last values of each name on this visit to a page. */
export class Traces {
  #values = new Map<string, number[]>();
  #last: unknown;

  /** Once for each new answer. */
  add<T>(answer: unknown, rows: T[], name: (row: T) => string, value: (row: T) => number): void {
    if (answer === this.#last) return;
    this.#last = answer;
    const kept = new Map<string, number[]>();
    for (const row of rows) {
      kept.set(name(row), [...(this.#values.get(name(row)) ?? []), value(row)].slice(-sparkMax));
    }
    this.#values = kept;
  }

  of(name: string): number[] {
    return this.#values.get(name) ?? [];
  }
}
