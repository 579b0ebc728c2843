// stompit, over TCP, with every escape that STOMP 1.2 has.
import { stompitAdapter } from './support/adapter_stompit.mjs';
import { commonScript } from './support/common_script.mjs';

commonScript('stompit 1.0.0', stompitAdapter, { versions: ['1.2', '1.1', '1.0'] });
