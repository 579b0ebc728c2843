"""A drain under load, small: everybody is told, over the spread, and nothing that was confirmed is lost (operations,
section 3). tests/bench/drain.py is the same with 5,000 connections.
"""
import os
import shutil
import signal
import tempfile
import time
import unittest

from support.broker import Broker, wait_time
from support.case import OwnBrokerCase, each
from support.drain_load import DrainLoad, kept_in

CONNECTIONS = 200


class DrainUnderLoad(OwnBrokerCase):
    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="stampede-drain-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def start(self):
        storage = {"directory": self.directory + "/data", "allow_unsafe_filesystem": True, "disk_floor": "1MiB"}
        self.broker = Broker({"storage": storage, "drain": {"spread": "800ms", "timeout": "20s"}}, threads=2)
        self.addCleanup(self.broker.kill)
        return self.broker

    def under_load(self):
        load = DrainLoad(self.start(), CONNECTIONS)
        self.addCleanup(load.close)
        self.assertTrue(load.run(lambda: load.confirmed() >= 500, 30))
        return load

    @each([signal.SIGTERM])
    def test_O_3_all_are_told_over_the_spread_and_nothing_confirmed_is_lost(self, number):
        load = self.under_load()
        confirmed = load.confirmed()
        begin = time.monotonic()
        self.assertTrue(load.drain(lambda: self.broker.signal(number), 20))
        self.assertEqual(self.broker.wait(), 0)
        self.assertLess(time.monotonic() - begin, wait_time(20))
        self.assertEqual((len(load.ends), len(load.untold)), (CONNECTIONS, 0))
        self.assertGreater(load.confirmed(), confirmed, "publishers are served until their turn comes")
        self.assertLess(max(load.tenths()), CONNECTIONS / 2, "they leave one by one, not together")
        must = load.must_be_kept()
        self.broker.kill()
        self.assertEqual(must - kept_in(self.start()), set())

    def test_O_3_without_a_drain_nobody_is_told(self):
        """The control: the same judges find out a broker that is killed."""
        load = self.under_load()
        self.assertTrue(load.drain(lambda: self.broker.signal(signal.SIGKILL), 20))
        self.assertEqual((len(load.ends), len(load.untold)), (0, CONNECTIONS))

    def test_O_3_lost_messages_are_noticed(self):
        """The other control: the store is gone when the broker comes back."""
        load = self.under_load()
        self.assertTrue(load.drain(lambda: self.broker.signal(signal.SIGTERM), 20))
        self.assertEqual(self.broker.wait(), 0)
        self.broker.kill()
        shutil.rmtree(os.path.join(self.directory, "data"))
        self.assertNotEqual(load.must_be_kept() - kept_in(self.start()), set())


if __name__ == "__main__":
    unittest.main()
