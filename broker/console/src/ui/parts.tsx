// Small parts that all pages are made of.
// Limits: none.
import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Problem, session } from '../api';
import { useStore } from '../store';
import { Icon, type IconName } from './icons';

export type Tone = 'neutral' | 'good' | 'warn' | 'bad' | 'info';

export function Badge({ tone = 'neutral', title, children }: { tone?: Tone; title?: string; children: ComponentChildren }) {
  return (
    <span class={`badge ${tone}`} title={title}>
      {children}
    </span>
  );
}

interface ButtonProps {
  onClick: () => void;
  children?: ComponentChildren;
  icon?: IconName;
  kind?: 'plain' | 'primary' | 'danger' | 'ghost';
  title?: string;
  disabled?: boolean;
  pressed?: boolean;
}

export function Button({ onClick, children, icon, kind = 'plain', title, disabled, pressed }: ButtonProps) {
  return (
    <button
      type="button"
      class={`button ${kind}${children ? '' : ' icon-only'}`}
      onClick={onClick}
      title={title}
      aria-label={children ? undefined : title}
      aria-pressed={pressed}
      disabled={disabled}
    >
      {icon && <Icon name={icon} />}
      {children}
    </button>
  );
}

export const needsAdmin = 'Read-only: this token lacks the scope admin';

/** A button that needs the scope admin; others see why it is off. */
export function AdminButton(props: ButtonProps) {
  const isAdmin = useStore(session)?.isAdmin ?? false;
  if (isAdmin) return <Button {...props} />;
  return <Button {...props} disabled title={needsAdmin} />;
}

export function Panel(props: {
  title?: ComponentChildren;
  aside?: ComponentChildren;
  flush?: boolean;
  label?: string;
  children: ComponentChildren;
}) {
  const { title, aside, flush, label, children } = props;
  return (
    <section class={`panel${flush ? ' flush' : ''}`} aria-label={label ?? (typeof title === 'string' ? title : undefined)}>
      {(title || aside) && (
        <header>
          <h2>{title}</h2>
          {aside && <div class="aside">{aside}</div>}
        </header>
      )}
      {children}
    </section>
  );
}

export function Empty({ icon = 'inbox', title, children }: { icon?: IconName; title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <Icon name={icon} />
      <strong>{title}</strong>
      {children && <p>{children}</p>}
    </div>
  );
}

/** A refusal in the broker's own words. */
export function Refusal({ problem, title, onRetry }: { problem: Problem; title?: string; onRetry?: () => void }) {
  const usual = problem.status === 403 ? 'Not for this token' : problem.status === 404 ? 'Not found' : 'This did not work';
  return (
    <div class="refusal" role="alert">
      <Icon name="warning" />
      <div>
        <strong>{title ?? usual}</strong>
        <p>{problem.message}</p>
      </div>
      {onRetry && <Button onClick={onRetry}>Try again</Button>}
    </div>
  );
}

export function Loading() {
  return (
    <div class="loading" role="status" aria-label="Loading">
      <span />
      <span />
      <span />
    </div>
  );
}

/** A long name in one line; the whole of it as its title. */
export function Name({ text, href, mono = true }: { text: string; href?: string; mono?: boolean }) {
  const css = `name${mono ? ' mono' : ''}`;
  return href ? (
    <a class={css} href={href} title={text}>
      {text}
    </a>
  ) : (
    <span class={css} title={text}>
      {text}
    </span>
  );
}

export function Stat({ label, value, note, tone }: { label: string; value: string; note?: ComponentChildren; tone?: Tone }) {
  return (
    <div class={`stat ${tone ?? ''}`}>
      <span class="label">{label}</span>
      <span class="value">{value}</span>
      {note !== undefined && <span class="note">{note}</span>}
    </div>
  );
}

export function Meter({ part, label }: { part: number; label: string }) {
  const percent = Math.max(0, Math.min(100, part * 100));
  const tone = percent > 90 ? 'bad' : percent > 75 ? 'warn' : 'good';
  return (
    <span class={`meter ${tone}`} role="meter" aria-label={label} aria-valuenow={Math.round(percent)} aria-valuemin={0} aria-valuemax={100}>
      <span style={{ width: `${percent}%` }} />
    </span>
  );
}

export function Facts({ rows }: { rows: [string, ComponentChildren][] }) {
  return (
    <dl class="facts">
      {rows.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

export function Choice<T extends string>(props: {
  label: string;
  options: readonly (readonly [T, string])[];
  value: T;
  onChange: (value: T) => void;
}) {
  return (
    <div class="choice" role="group" aria-label={props.label}>
      {props.options.map(([value, text]) => (
        <button type="button" key={value} aria-pressed={value === props.value} onClick={() => props.onChange(value)}>
          {text}
        </button>
      ))}
    </div>
  );
}

/** The field that `/` goes to. */
export function Search({ value, onInput, placeholder }: { value: string; onInput: (text: string) => void; placeholder: string }) {
  return (
    <label class="search">
      <Icon name="search" />
      <input
        type="search"
        data-search
        value={value}
        placeholder={placeholder}
        aria-label={placeholder}
        spellcheck={false}
        autocomplete="off"
        onInput={(event) => onInput(event.currentTarget.value)}
        onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
      />
      <kbd>/</kbd>
    </label>
  );
}

export function Field({ label, hint, children }: { label: string; hint?: string; children: ComponentChildren }) {
  return (
    <label class="field">
      <span>{label}</span>
      {children}
      {hint && <small>{hint}</small>}
    </label>
  );
}

export function Check({ label, checked, onChange }: { label: string; checked: boolean; onChange: (checked: boolean) => void }) {
  return (
    <label class="check">
      <input type="checkbox" checked={checked} onChange={(event) => onChange(event.currentTarget.checked)} />
      {label}
    </label>
  );
}

/** Headers as `name: value` lines. */
export function Headers({ headers }: { headers: readonly (readonly [string, string])[] }): JSX.Element {
  return (
    <div class="headers">
      {headers.map(([name, value], i) => (
        <div key={i}>
          <b>{name}</b> <span>{value}</span>
        </div>
      ))}
    </div>
  );
}

/** A line that opens to show more. */
export function Fold({ summary, children, open = false }: { summary: ComponentChildren; children: () => ComponentChildren; open?: boolean }) {
  const [isOpen, setOpen] = useState(open);
  return (
    <details class="fold" open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{summary}</summary>
      {isOpen && <div class="fold-body">{children()}</div>}
    </details>
  );
}
