"""A broker with short times, against peers that misbehave; after each test a client that was there before is served."""
from .broker import MIB
from .case import BrokerCase
from .peers import ws_close

QUICK = {"limits": {"idle_topics": 1000, "connect_time": "700ms", "upgrade_time": "500ms", "frame_time": "500ms", "close_time": "500ms",
                    "linger_time": "300ms", "frame_time_max": "1s"}}


class HostileCase(BrokerCase):
    config = QUICK
    growth_max = 32 * MIB

    def tearDown(self):
        super().tearDown()
        self.check_good_client()

    def finish(self, peer, seconds=5):
        """The peer says goodbye; the broker must end the connection. All frames that came."""
        if peer.transport == "ws":
            if not peer.sent_close:
                peer.sent_close = True
                peer.raw(ws_close(1000))
        else:
            try:
                peer.half_close()
            except OSError:
                pass
        return peer.read_end(seconds)
