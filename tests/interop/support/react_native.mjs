// React Native's WebSocket on Android, simulated: text messages lose their NUL and what follows it, both ways
// (react-native#12731). Whoever imports this file has it as the global WebSocket.
import WebSocket from 'ws';

const untilNul = (text) => text.split('\0', 1)[0];

/** A socket of npm's `ws` with that defect. */
export class ReactNativeSocket extends WebSocket {
  send(data) {
    super.send(typeof data === 'string' ? untilNul(data) : data);
  }

  set onmessage(handler) {
    super.onmessage = ({ data }) => handler({ data: typeof data === 'string' ? untilNul(data) : data });
  }
}

globalThis.WebSocket = ReactNativeSocket;
