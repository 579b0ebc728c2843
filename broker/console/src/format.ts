// Numbers, sizes, times and names as people read them.
// Limits: none.

const plain = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const one = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });

/** 12,345 */
export function count(n: number): string {
  return plain.format(n);
}

/** 12.3k from ten thousand on, for narrow places. */
export function short(n: number): string {
  const size = Math.abs(n);
  if (size >= 1e9) return `${one.format(n / 1e9)}G`;
  if (size >= 1e6) return `${one.format(n / 1e6)}M`;
  if (size >= 1e4) return `${one.format(n / 1e3)}k`;
  return size < 100 && !Number.isInteger(n) ? one.format(n) : plain.format(n);
}

/** A number a second. */
export function rate(n: number): string {
  return n === 0 ? '0' : n < 0.1 ? '<0.1' : short(n);
}

/** 1.5 KiB */
export function bytes(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let size = Math.abs(n);
  let unit = 0;
  while (size >= 1024 && unit < units.length - 1) {
    size /= 1024;
    unit += 1;
  }
  const text = unit === 0 || size >= 100 ? plain.format(size) : one.format(size);
  return `${n < 0 ? '-' : ''}${text} ${units[unit]}`;
}

/** 3d 4h, 5m 6s, 7.8s, 90ms: two units at most. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`;
  if (ms < 10_000) return `${one.format(ms / 1000)}s`;
  const seconds = Math.floor(ms / 1000);
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ];
  const first = parts.findIndex(([n]) => n > 0);
  return parts
    .slice(first, first + 2)
    .filter(([n], i) => i === 0 || n > 0)
    .map(([n, unit]) => `${n}${unit}`)
    .join(' ');
}

/** How long ago an RFC 3339 time was. */
export function ago(at: string): string {
  const ms = Date.now() - Date.parse(at);
  return Number.isNaN(ms) ? '' : ms < 1000 ? 'now' : duration(ms);
}

/** 14:03:09 or 14:03:09.123 */
export function clock(at: string | number, withMilliseconds = false): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return '';
  const two = (n: number) => String(n).padStart(2, '0');
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return withMilliseconds ? `${time}.${String(date.getMilliseconds()).padStart(3, '0')}` : time;
}

/** Day and time, in the browser's zone. */
export function moment(at: string | number): string {
  const date = new Date(at);
  if (Number.isNaN(date.getTime())) return '';
  return `${date.toLocaleDateString('en-CA')} ${clock(at)}`;
}

/** `1 message`, `2 messages` */
export function plural(n: number, noun: string): string {
  return `${count(n)} ${noun}${n === 1 ? '' : 's'}`;
}

/** The text that a body holds, indented if it is JSON. */
export function pretty(body: string): string {
  const trimmed = body.trim();
  if (!/^[[{]/.test(trimmed) || trimmed.length > 65_536) return body;
  try {
    return JSON.stringify(JSON.parse(trimmed), null, 2);
  } catch {
    return body;
  }
}
