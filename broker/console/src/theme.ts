// Light, dark, or as the system has it.
// Limits: none; the choice is all that the page keeps in the browser.
import { Store } from './store';

export type Theme = 'system' | 'light' | 'dark';

const key = 'stampede-theme';
const dark = matchMedia('(prefers-color-scheme: dark)');

function kept(): Theme {
  try {
    const value = localStorage.getItem(key);
    return value === 'light' || value === 'dark' ? value : 'system';
  } catch {
    return 'system';
  }
}

export const theme = new Store<Theme>(kept());

/** What is drawn now; charts are drawn again when it changes. */
export const isDark = new Store(false);

function apply(): void {
  const choice = theme.value;
  isDark.set(choice === 'dark' || (choice === 'system' && dark.matches));
  document.documentElement.dataset.theme = isDark.value ? 'dark' : 'light';
}

export function chooseTheme(choice: Theme): void {
  try {
    localStorage.setItem(key, choice);
  } catch {
    // It holds for this visit.
  }
  theme.set(choice);
  apply();
}

dark.addEventListener('change', apply);
apply();
