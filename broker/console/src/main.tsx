import './style.css'; import { render } from 'preact'; render(<p>Stampede</p>, document.getElementById('app')!);
