// Questions before something is done that cannot be undone, and short notes of what was done.
// Limits: one question at a time, 4 notes.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { Problem } from '../api';
import { Store, useStore } from '../store';
import { Button, Refusal } from './parts';
import { Icon } from './icons';

export interface Question {
  title: string;
  body: ComponentChildren;
  action: string;
  danger?: boolean;
  /** What is done; a refusal is shown in the dialog. Returns the note to show. */
  run: () => Promise<string>;
}

const question = new Store<Question | null>(null);

export function ask(asked: Question): void {
  question.set(asked);
}

interface Note {
  key: number;
  text: string;
  tone: 'good' | 'bad' | 'info';
}

const notes = new Store<Note[]>([]);
let nextKey = 0;

export function notify(text: string, tone: Note['tone'] = 'good'): void {
  const key = nextKey++;
  notes.set([...notes.value.slice(-3), { key, text, tone }]);
  setTimeout(() => notes.set(notes.value.filter((note) => note.key !== key)), tone === 'bad' ? 9000 : 4500);
}

/** Does it, and says what came of it. */
export async function attempt(run: () => Promise<string>): Promise<void> {
  try {
    notify(await run());
  } catch (error) {
    notify(error instanceof Error ? error.message : String(error), 'bad');
  }
}

export function Notes() {
  return (
    <div class="notices" role="status" aria-live="polite">
      {useStore(notes).map(({ key, text, tone }) => (
        <div class={`notice ${tone}`} key={key}>
          {text}
        </div>
      ))}
    </div>
  );
}

/** A dialog of the browser: it keeps the focus inside and closes by Escape. */
export function Modal({ title, onClose, children }: { title: string; onClose: () => void; children: ComponentChildren }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const before = document.activeElement;
    dialog.current?.showModal();
    return () => {
      if (before instanceof HTMLElement) before.focus();
    };
  }, []);
  return (
    <dialog ref={dialog} aria-label={title} onClose={onClose} onClick={(event) => event.target === dialog.current && onClose()}>
      <div class="dialog">
        <header>
          <h2>{title}</h2>
          <button type="button" class="button ghost icon-only" aria-label="Close" onClick={onClose}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}

function Asked({ asked }: { asked: Question }) {
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem>();
  const close = () => question.set(null);
  const run = async () => {
    setBusy(true);
    setProblem(undefined);
    try {
      notify(await asked.run());
      close();
    } catch (error) {
      setProblem(error instanceof Problem ? error : new Problem(0, String(error)));
      setBusy(false);
    }
  };
  return (
    <Modal title={asked.title} onClose={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void run();
        }}
      >
        <div class="dialog-body">{asked.body}</div>
        {problem && <Refusal problem={problem} />}
        <footer>
          <Button onClick={close}>Cancel</Button>
          <button type="submit" class={`button ${asked.danger ? 'danger' : 'primary'}`} disabled={isBusy} autofocus>
            {isBusy ? 'Working…' : asked.action}
          </button>
        </footer>
      </form>
    </Modal>
  );
}

export function Questions() {
  const asked = useStore(question);
  return asked && <Asked asked={asked} key={asked.title} />;
}
