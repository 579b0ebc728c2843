// What the broker writes to a WebSocket in one conversation that has everything in it: beats, receipts,
// bodies of all kinds, acknowledgements, redelivery, an ERROR. For parsers to be fed with.
import { connectFrame, frame, openWebSocket, parseFrame } from './raw_client.mjs';

const texts = ['hello', '', 'Grüße, 世界, Ω, \u{1F418}', 'two\nlines\n', 'x'.repeat(1024), 'Ω'.repeat(150_000)];

/**
 * Messages {data, isBinary} of a session in `version`, and the frames in them; no beats and no NACK in 1.0. With `binary` there is a body
 * that is no text, with `nul` a text with NUL. Values stay plain: no colon, blank or escape from the publisher.
 */
export async function capture(t, broker, version, { binary = false, nul = false } = {}) {
  const { socket, messages } = await openWebSocket(broker, [`v${version.replace('.', '')}.stomp`]);
  t.after(() => socket.terminate());
  const bodies = [...texts, ...(nul ? ['a\0b'] : []), ...(binary ? [Buffer.from([0xff, 0xfe, 0x41])] : [])];
  const captured = [];
  const take = async (command) => {
    for (;;) {
      const message = await messages.next(command);
      captured.push(message);
      if (command === 'beat' ? isBeat(message) : !isBeat(message) && parseFrame(message.data).command === command) {
        return message;
      }
    }
  };
  socket.send(connectFrame({ 'accept-version': version, 'heart-beat': '0,1000' }));
  await take('CONNECTED');
  socket.send(frame('SUBSCRIBE', { id: 's1', destination: '/queue/capture', ack: 'client-individual', receipt: 'r1' }));
  await take('RECEIPT');
  for (const body of bodies) {
    const length = Buffer.byteLength(body);
    socket.send(frame('SEND', { destination: '/queue/capture', 'content-length': length, 'x-user': 'plain' }, body));
    await take('MESSAGE');
  }
  if (version !== '1.0') {
    await take('beat');
    socket.send(frame('NACK', { id: firstAck(captured), 'message-id': firstAck(captured) }));
    await take('MESSAGE');
  }
  socket.send(frame('SEND', { destination: '/queue/*', receipt: 'r2' }));
  await take('ERROR');
  const frames = captured.filter((message) => !isBeat(message)).map(({ data }) => parseFrame(data));
  return { messages: captured, frames };
}

export const isBeat = ({ data }) => data.length === 1 && data[0] === 10;

function firstAck(captured) {
  const frames = captured.filter((message) => !isBeat(message)).map(({ data }) => parseFrame(data));
  return frames.find(({ command }) => command === 'MESSAGE').headers.ack;
}
