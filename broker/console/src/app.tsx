// The frame of the page: navigation, what is wrong at present, and the page that the URL names.
// Limits: none.
import { Component, type ComponentChildren, type ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { isUnreachable, leave, session } from './api';
import { isHelpShown, listenToKeys, otherKeys, places } from './keyboard';
import { goLive, link } from './live';
import { Login } from './pages/login';
import { ConnectionPage } from './pages/connection';
import { Connections } from './pages/connections';
import { DestinationPage } from './pages/destination';
import { Destinations } from './pages/destinations';
import { Logs } from './pages/logs';
import { Nodes } from './pages/nodes';
import { OverviewPage } from './pages/overview';
import { Policies } from './pages/policies';
import { ScheduledPage } from './pages/scheduled';
import { Subscriptions } from './pages/subscriptions';
import { usePoll } from './polling';
import { href, route } from './router';
import { useStore } from './store';
import { chooseTheme, isDark } from './theme';
import type { Overview } from './types';
import { Modal, Notes, notify, Questions } from './ui/dialog';
import { Icon, type IconName } from './ui/icons';
import { Badge, Button, Empty } from './ui/parts';

const pages: Record<string, ComponentType> = {
  overview: OverviewPage,
  connections: Connections,
  destinations: Destinations,
  subscriptions: Subscriptions,
  policies: Policies,
  nodes: Nodes,
  logs: Logs,
  scheduled: ScheduledPage,
};

export function App() {
  const known = useStore(session);
  return (
    <>
      {known ? <Frame key={known.token} /> : <Login />}
      <Notes />
    </>
  );
}

function Frame() {
  useEffect(goLive, []);
  useEffect(listenToKeys, []);
  useReturn();
  const { path } = useStore(route);
  const [isMenuOpen, setMenuOpen] = useState(false);
  useEffect(() => {
    setMenuOpen(false);
    window.scrollTo(0, 0);
    document.title = `${path[1] ?? places.find(([, name]) => name === path[0])?.[2] ?? 'Overview'} · Stampede`;
  }, [path.join('/')]);
  return (
    <div class={`frame${isMenuOpen ? ' menu-open' : ''}`}>
      <a class="skip" href="#content" onClick={skip}>
        Skip to the content
      </a>
      <Side current={path[0] || 'overview'} />
      <div class="shade" onClick={() => setMenuOpen(false)} />
      <div class="main">
        <Top onMenu={() => setMenuOpen(!isMenuOpen)} />
        <Lost />
        <main id="content" tabIndex={-1}>
          <Guard key={path.join('/')}>
            <Shown path={path} />
          </Guard>
        </main>
      </div>
      <Help />
      <Questions />
    </div>
  );
}

/** A page that fails says so and leaves the others alone. */
class Guard extends Component<{ children: ComponentChildren }, { fault?: Error }> {
  static override getDerivedStateFromError(fault: Error) {
    return { fault };
  }

  override render() {
    const { fault } = this.state;
    if (!fault) return this.props.children;
    return (
      <Empty icon="warning" title="This page has failed">
        {fault.message}. That is a fault of the console; the broker is not touched by it.
      </Empty>
    );
  }
}

function skip(event: Event): void {
  event.preventDefault();
  document.getElementById('content')?.focus();
}

function Shown({ path }: { path: string[] }) {
  const [name = '', id] = path;
  if (name === 'connections' && id) return <ConnectionPage id={id} key={id} />;
  if (name === 'destinations' && id) return <DestinationPage name={id} key={id} />;
  const Page = pages[name || 'overview'];
  if (Page && !id) return <Page key={name} />;
  return (
    <Empty icon="search" title="There is no such page">
      <a href={href('overview')}>To the overview</a>
    </Empty>
  );
}

function Side({ current }: { current: string }) {
  const overview = usePoll<Overview>('/overview', 5000).data;
  return (
    <nav class="side" aria-label="Pages">
      <a class="brand" href={href('overview')}>
        <img src="/favicon.svg" alt="" width="24" height="24" />
        Stampede
      </a>
      <ul>
        {places.map(([key, name, title]) => (
          <li key={name}>
            <a href={href(name)} aria-current={name === current ? 'page' : undefined} title={`g ${key}`}>
              <Icon name={name as IconName} />
              {title}
            </a>
          </li>
        ))}
      </ul>
      <div class="about">
        {overview && (
          <>
            <span title={overview.node}>{overview.node}</span>
            <span>
              {overview.version} · {overview.commit.slice(0, 8)}
            </span>
          </>
        )}
      </div>
    </nav>
  );
}

function Top({ onMenu }: { onMenu: () => void }) {
  const dark = useStore(isDark);
  const isAdmin = useStore(session)?.isAdmin;
  return (
    <header class="top">
      <span class="menu">
        <Button icon="menu" kind="ghost" title="Menu" onClick={onMenu} />
      </span>
      <LinkState />
      {!isAdmin && (
        <Badge tone="info" title="This token lacks the scope admin: nothing can be changed">
          read-only
        </Badge>
      )}
      <span class="spring" />
      <Button icon="help" kind="ghost" title="Keys (?)" onClick={() => isHelpShown.set(true)} />
      <Button icon={dark ? 'sun' : 'moon'} kind="ghost" title={dark ? 'Light (t)' : 'Dark (t)'} onClick={() => chooseTheme(dark ? 'light' : 'dark')} />
      <Button icon="exit" kind="ghost" title="Forget the token" onClick={() => leave()} />
    </header>
  );
}

function LinkState() {
  const state = useStore(link);
  const isGone = useStore(isUnreachable);
  if (isGone || state === 'lost') return <span class="link-state bad">reconnecting</span>;
  if (state === 'connecting') return <span class="link-state warn">connecting</span>;
  return (
    <span class="link-state good" title={state === 'live' ? 'Figures come by STOMP once a second' : 'Figures are asked for every two seconds'}>
      {state === 'live' ? 'live' : 'polling'}
    </span>
  );
}

function Lost() {
  const isGone = useStore(isUnreachable);
  const state = useStore(link);
  if (!isGone && state !== 'lost') return null;
  return (
    <div class="banner bad" role="alert">
      <Icon name="warning" />
      <span>
        <strong>The broker does not answer.</strong> What is shown is the last that was heard. This page reconnects by itself.
      </span>
    </div>
  );
}

/** Says so when the broker is back. */
function useReturn(): void {
  const state = useStore(link);
  const [wasLost, setLost] = useState(false);
  useEffect(() => {
    if (state === 'lost') setLost(true);
    if (state === 'live' && wasLost) {
      setLost(false);
      notify('The broker is back.', 'info');
    }
  }, [state, wasLost]);
}

function Help() {
  if (!useStore(isHelpShown)) return null;
  const close = () => isHelpShown.set(false);
  return (
    <Modal title="Keys" onClose={close}>
      <div class="dialog-body keys">
        {places.map(([key, , title]) => (
          <div key={key}>
            <span>
              <kbd>g</kbd> <kbd>{key}</kbd>
            </span>
            {title}
          </div>
        ))}
        {otherKeys.map(([key, text]) => (
          <div key={key}>
            <span>
              {key.split(', ').map((one) => (
                <kbd key={one}>{one}</kbd>
              ))}
            </span>
            {text}
          </div>
        ))}
      </div>
    </Modal>
  );
}
