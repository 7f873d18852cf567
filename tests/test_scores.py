"""The line of the scores, and what counts as a completion: see test_stages.py for a whole run's."""

from hornbook.scores import compression_line


def test_the_line_names_the_model_its_interval_and_the_compressors():
    found = {"bits_per_byte": 1.5, "interval": (1.41, 1.62), "baselines": {"gzip -9": 2.0, "xz -9": 1.69}}
    line = compression_line(found)
    assert line == "held out   1.500 bits per byte (1.410 to 1.620); gzip -9 2.000, xz -9 1.690"
