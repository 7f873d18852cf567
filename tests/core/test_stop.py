"""The first signal is a wish, the second one is meant."""

import os
import signal
import subprocess
import sys

from hornbook.core.stop import Stop

STUBBORN = """
import os, signal
from hornbook.core.stop import Stop
with Stop() as stop:
    os.kill(os.getpid(), signal.SIGTERM)
    assert stop.asked
    os.kill(os.getpid(), signal.SIGTERM)
    print("still here")
"""


def test_a_signal_sets_the_flag_and_the_handlers_come_back():
    before = signal.getsignal(signal.SIGINT)
    with Stop() as stop:
        assert not stop.asked
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.asked
        assert stop.signal == signal.SIGINT
    assert signal.getsignal(signal.SIGINT) == before


def test_a_second_signal_kills():
    done = subprocess.run([sys.executable, "-c", STUBBORN], capture_output=True, text=True)
    assert done.returncode == -signal.SIGTERM
    assert "still here" not in done.stdout
