// Keys that work anywhere but in a field.
// Limits: none.
import { Store } from './store';
import { go } from './router';
import { chooseTheme, isDark } from './theme';

export const isHelpShown = new Store(false);

/** The second key after `g`. */
export const places = [
  ['o', 'overview', 'Overview'],
  ['c', 'connections', 'Connections'],
  ['d', 'destinations', 'Destinations'],
  ['s', 'subscriptions', 'Subscriptions'],
  ['p', 'policies', 'Policies'],
  ['n', 'nodes', 'Nodes'],
  ['l', 'logs', 'Logs'],
  ['m', 'scheduled', 'Scheduled'],
] as const;

export const otherKeys = [
  ['/', 'Search in this page'],
  ['n, p', 'Next, previous page of a list'],
  ['t', 'Dark or light'],
  ['?', 'This help'],
  ['Esc', 'Close, leave a field'],
] as const;

function press(selector: string): void {
  document.querySelector<HTMLElement>(selector)?.click();
}

function single(key: string): boolean {
  switch (key) {
    case '/': {
      const field = document.querySelector<HTMLInputElement>('[data-search]');
      field?.focus();
      field?.select();
      return true;
    }
    case '?':
      isHelpShown.set(true);
      return true;
    case 't':
      chooseTheme(isDark.value ? 'light' : 'dark');
      return true;
    case 'n':
      press('.pages button:last-child:not(:disabled)');
      return true;
    case 'p':
      press('.pages button:first-child:not(:disabled)');
      return true;
    default:
      return false;
  }
}

/** Listens until the returned function is called. */
export function listenToKeys(): () => void {
  let isAfterG = false;
  let forget: ReturnType<typeof setTimeout> | undefined;
  const listen = (event: KeyboardEvent) => {
    const target = event.target as HTMLElement;
    const isTyping = target.matches('input:not([type=checkbox]), textarea, select, [contenteditable]');
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return;
    if (isAfterG) {
      isAfterG = false;
      const place = places.find(([key]) => key === event.key);
      if (place) {
        event.preventDefault();
        go(place[1]);
      }
      return;
    }
    if (event.key === 'g') {
      isAfterG = true;
      clearTimeout(forget);
      forget = setTimeout(() => (isAfterG = false), 1500);
    } else if (single(event.key)) {
      event.preventDefault();
    }
  };
  document.addEventListener('keydown', listen);
  return () => document.removeEventListener('keydown', listen);
}
