// Asks for the token; a link such as /#token=... brings it along.
// Limits: none; the token is kept in memory only.
import { useEffect, useState } from 'preact/hooks';
import { enter, farewell, Problem } from '../api';
import { offered } from '../router';
import { useStore } from '../store';

export function Login() {
  const [token, setToken] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState('');
  const why = useStore(farewell);
  const tryToken = async (text: string) => {
    setBusy(true);
    setProblem('');
    try {
      await enter(text.trim());
    } catch (error) {
      const isWrong = error instanceof Problem && error.status === 401;
      setProblem(isWrong ? 'The broker does not know this token.' : (error as Error).message);
      setBusy(false);
    }
  };
  const brought = useStore(offered);
  useEffect(() => {
    if (!brought) return;
    offered.set('');
    void tryToken(brought);
  }, [brought]);
  return (
    <main class="login">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void tryToken(token);
        }}
      >
        <img src="/favicon.svg" alt="" width="44" height="44" />
        <h1>Stampede</h1>
        <p class="host">{location.host}</p>
        <label class="field">
          <span>Admin token</span>
          <input
            type="password"
            name="token"
            autocomplete="off"
            spellcheck={false}
            autofocus
            required
            value={token}
            onInput={(event) => setToken(event.currentTarget.value)}
          />
        </label>
        {(problem || why) && (
          <p class="problem" role="alert">
            {problem || why}
          </p>
        )}
        <button type="submit" class="button primary" disabled={isBusy}>
          {isBusy ? 'Looking…' : 'Open'}
        </button>
        <p class="hint">
          When it starts, the broker logs where the token is: a file that only its user can read. It stays in this page’s memory; a
          reload asks again.
        </p>
      </form>
    </main>
  );
}
