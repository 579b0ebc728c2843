// The console of the broker. Everything that is shown comes from this host.
import { render } from 'preact';
import { App } from './app';
import './style.css';

const place = document.getElementById('app');
if (place) render(<App />, place);
