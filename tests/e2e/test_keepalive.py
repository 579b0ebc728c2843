"""Heart-beats and pings with short intervals (section 6 of the protocol specification)."""
import os
import signal
import threading
import time
import unittest

from support.broker import PATIENCE, until, wait_time
from support.case import BrokerCase, TRANSPORTS, combined, each, over_transports, send_to, stomp
from support.peers import BINARY, PING, PONG, ws_frame

SLACK = 0.25 * PATIENCE  # For a busy machine; never on the side where the broker would be too fast.


def pause(seconds):
    threading.Event().wait(seconds)


class Beats(BrokerCase):
    threads = 2
    config = {"heartbeat": {"offer": "10s", "floor": "20ms", "ping_after": "300ms", "dead_after": "900ms"},
              "limits": {"close_time": "500ms", "linger_time": "300ms"}}

    @each(combined(TRANSPORTS, ["1.1", "1.2"], [100, 400]))
    def test_P_HB_04_a_beat_after_half_to_four_fifths_of_the_interval(self, transport, version, interval):
        peer = self.client(transport, version, "heart-beat:0,%d" % interval)
        self.assertEqual(peer.connected["heart-beat"], "%d,10000" % interval)
        last = time.monotonic()
        gaps = []
        for _ in range(6):
            peer.read_beat()
            now = time.monotonic()
            gaps.append(now - last)
            last = now
        for gap in gaps[1:]:
            self.assertGreaterEqual(gap, interval / 1000 * 0.5 - 0.03)
            self.assertLessEqual(gap, interval / 1000 * 0.8 + SLACK)

    @over_transports
    def test_P_HB_04_what_is_sent_anyway_restarts_the_time(self, transport):
        topic = "/topic/beats.%s" % transport
        peer = self.client(transport, "1.2", "heart-beat:0,1000").subscribe(topic)
        writer = self.client("tcp")
        end = time.monotonic() + 1.5
        while time.monotonic() < end:
            writer.publish(topic, b"x")
            peer.read_message()
            pause(0.05)
        self.assertEqual(peer.beats, 0)
        peer.read_beat()

    def test_P_HB_04_pings_and_pongs_do_not_stand_for_a_beat(self):
        # A script in a browser does not see them.
        peer = self.client("ws", "1.2", "heart-beat:0,400")
        for _ in range(2):
            end = time.monotonic() + 0.4 + SLACK
            before = peer.beats
            while peer.beats == before and time.monotonic() < end:
                peer.raw(ws_frame(PING))
                pause(0.07)
                peer.receive_now()
                self.assertIsNone(peer.take_frame())
            self.assertGreater(peer.beats, before)

    @over_transports
    def test_P_HB_03_no_beats_unless_both_want_them(self, transport):
        for heart_beat in ("0,0", "50,0"):
            peer = self.client(transport, "1.2", "heart-beat:" + heart_beat)
            end = time.monotonic() + 0.3
            while time.monotonic() < end:
                peer.send(b"\n")
                pause(0.02)
            self.assert_lives(peer)
            self.assertEqual(peer.beats, 0)

    def test_P_HB_02_none_in_1_0(self):
        peer = self.client("tcp", "1.0", "heart-beat:50,50")
        pause(0.4)
        self.assert_lives(peer)
        self.assertEqual(peer.beats, 0)

    @each(combined(TRANSPORTS, [100, 400]))
    def test_P_HB_05_a_peer_that_owes_beats_is_dead(self, transport, interval):
        begin = time.monotonic()
        peer = self.client(transport, "1.2", "heart-beat:%d,0" % interval)
        self.assert_refused(peer, "heartbeat-timeout")
        limit = interval * 2.25 / 1000
        self.assertGreaterEqual(time.monotonic() - begin, limit - 0.03)
        self.assertLessEqual(time.monotonic() - begin, limit + SLACK)

    LIFE = {"line_end": lambda peer, i: peer.send(b"\n"), "cr_lf": lambda peer, i: peer.send(b"\r\n"),
            "part_of_a_frame": lambda peer, i: peer.send(b"SEND\ndestination:/topic/x\n\nxxxxxxxxxxxxxx"[i:i + 1]),
            "frames": lambda peer, i: peer.send(send_to("/topic/x", b"x")), "nul": lambda peer, i: peer.send(b"\0")}
    WS_LIFE = {"ping": lambda peer, i: peer.raw(ws_frame(PING)), "pong": lambda peer, i: peer.raw(ws_frame(PONG)),
               "part_of_a_websocket_frame": lambda peer, i: peer.raw(ws_frame(BINARY, b"\n" * 100)[i:i + 1]),
               "empty_message": lambda peer, i: peer.message(b"")}

    def keep_alive(self, transport, give_life):
        peer = self.client(transport, "1.2", "heart-beat:200,0")
        for i in range(10):
            give_life(peer, i)
            pause(0.06)
        self.assertTrue(peer.receive_now())
        self.assertIsNone(peer.take_frame())
        peer.close()

    @each(combined(TRANSPORTS, {name: (function,) for name, function in LIFE.items()}))
    def test_P_HB_05_every_octet_is_life(self, transport, give_life):
        self.keep_alive(transport, give_life)

    @each({name: (function,) for name, function in WS_LIFE.items()})
    def test_P_HB_05_also_below_stomp(self, give_life):
        self.keep_alive("ws", give_life)

    def test_P_HB_06_silent_websocket_peers_get_a_ping_and_live(self):
        peer = self.client("ws", "1.2", "heart-beat:0,0")
        begin = time.monotonic()
        for _ in range(4):
            self.assertEqual(peer.read_control("pings"), b"")
        self.assertGreaterEqual(time.monotonic() - begin, 4 * 0.3 - 0.1)
        self.assert_lives(peer)

    def test_P_HB_06_also_in_1_0(self):
        peer = self.client("ws", "1.0")
        self.assertEqual(peer.read_control("pings"), b"")
        self.assertEqual(peer.read_control("pings"), b"")

    def test_P_HB_06_CVE_2020_13849_and_are_dead_without_an_answer(self):
        begin = time.monotonic()
        peer = self.client("ws", "1.2", "heart-beat:0,0")
        peer.answers_pings = False
        self.assert_refused(peer, "heartbeat-timeout")
        self.assertGreaterEqual(time.monotonic() - begin, 0.87)
        self.assertLessEqual(time.monotonic() - begin, 0.9 + SLACK)
        self.assertGreaterEqual(len(peer.pings), 1)

    def test_P_HB_06_no_ping_for_those_who_speak(self):
        peer = self.client("ws", "1.2", "heart-beat:0,0")
        for _ in range(20):
            self.assert_lives(peer)
            pause(0.05)
        self.assertEqual(peer.pings, [])

    def test_P_HB_06_no_ping_before_the_deadline_of_frequent_beats(self):
        peer = self.client("ws", "1.2", "heart-beat:500,0")
        self.assert_refused(peer, "heartbeat-timeout")
        self.assertEqual(peer.pings, [])

    def test_P_HB_07_tcp_peers_that_owe_nothing_have_no_timer(self):
        peer = self.client("tcp", "1.2", "heart-beat:0,0")
        pause(1.5)
        self.assert_lives(peer)
        self.assertEqual(peer.beats, 0)

    @each(combined(TRANSPORTS, ["beats", "pings"]))
    def test_P_HB_09_what_the_socket_holds_counts_before_a_deadline_is_acted_on(self, transport, kind):
        if (transport, kind) == ("tcp", "pings"):
            return
        peer = self.client(transport, "1.2", "heart-beat:%s,0" % ("200" if kind == "beats" else "0"))
        os.kill(self.broker.process.pid, signal.SIGSTOP)
        try:
            pause(0.3)
            peer.send(b"\n")
            pause(1.2)
            peer.send(b"\n")
        finally:
            os.kill(self.broker.process.pid, signal.SIGCONT)
        self.assert_lives(peer)

    @over_transports
    def test_P_HB_05_the_dead_are_cleaned_up(self, transport):
        before = self.broker.descriptors()
        peers = [self.client(transport, "1.2", "heart-beat:50,0") for _ in range(100)]
        self.assertTrue(until(lambda: self.broker.descriptors() <= before))
        del peers

    @over_transports
    def test_P_HB_05_messages_of_the_dead_return(self, transport):
        name = "/queue/beats.dead." + transport
        peer = self.client(transport, "1.2", "heart-beat:100,0").subscribe(name, "ack:client")
        self.client("tcp").publish(name, b"x")
        other = self.client("tcp").subscribe(name)
        message = other.read_message()
        self.assertEqual((message.body, message.get("redelivered")), (b"x", "true"))
        peer.close()

    @over_transports
    def test_P_HB_04_a_thousand_quiet_clients_all_get_their_beats(self, transport):
        peers = [self.client(transport, "1.2", "heart-beat:0,1000") for _ in range(300)]
        for _ in range(2):
            for peer in peers:
                peer.read_beat(seconds=3)
        self.check_good_client()


class Capped(BrokerCase):
    """P-HB-03: above the cap the broker beats as for the cap; a client that beats rarer is not expected to."""

    config = {"heartbeat": {"offer": "100ms", "floor": "20ms", "cap": "200ms"}}

    @over_transports
    def test_P_HB_03_above_the_cap(self, transport):
        peer = self.client(transport, "1.2", "heart-beat:0,60000")
        begin = time.monotonic()
        for _ in range(4):
            peer.read_beat()
        self.assertLessEqual(time.monotonic() - begin, 4 * 0.2 + SLACK)

    def test_P_HB_02_rarer_than_the_cap_owes_nothing(self):
        peer = self.client("tcp", "1.2", "heart-beat:201,0")
        self.assertEqual(peer.connected["heart-beat"], "100,0")
        pause(0.7)
        self.assert_lives(peer)

    @over_transports
    def test_P_HB_03_the_larger_of_offer_and_wish(self, transport):
        peer = self.client(transport, "1.2", "heart-beat:30,30")
        self.assertEqual(peer.connected["heart-beat"], "30,30")
        peer.close()
        peer = self.client(transport, "1.2", "heart-beat:5,5")
        self.assertEqual(peer.connected["heart-beat"], "20,20")


class LongSilence(BrokerCase):
    """Event loops that slept long know the time when they wake up."""

    threads = 3
    config = {"limits": {"connect_time": "300ms", "frame_time": "1200ms"}, "heartbeat": {"floor": "20ms"}}

    @over_transports
    def test_P_LIM_01_the_age_of_a_frame_begins_with_its_first_octet(self, transport):
        peers = [self.client(transport, "1.2", "heart-beat:0,0") for _ in range(6)]
        pause(2.5)
        for peer in peers:
            peer.send(b"BEGIN\ntransaction:t\n")
        pause(1.1)  # A deadline is not looked at within a second.
        for peer in peers:
            peer.send(b"receipt:r\n\n\0")
            self.assertEqual(peer.read_frame()["receipt-id"], "r")

    @over_transports
    def test_P_CONN_11_the_time_to_connect_begins_with_the_accept(self, transport):
        pause(1)
        for _ in range(6):
            self.client(transport)


if __name__ == "__main__":
    unittest.main()
