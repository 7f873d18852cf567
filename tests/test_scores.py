"""The line of the scores, and what counts as a completion: see test_stages.py for a whole run's."""

from types import SimpleNamespace

from hornbook.scores import compression_line, fits, source_line


def test_the_line_names_the_model_its_interval_and_the_compressors():
    found = {"bits_per_byte": 1.5, "interval": (1.41, 1.62), "baselines": {"gzip -9": 2.0, "xz -9": 1.69}}
    line = compression_line(found)
    assert line == "held out   1.500 bits per byte (1.410 to 1.620); gzip -9 2.000, xz -9 1.690"


def test_a_head_that_leaves_no_room_to_answer_is_not_asked():
    """Or the build would end at its last stage: a prompt may be longer than the model's context."""
    lm = SimpleNamespace(tokenizer=SimpleNamespace(encode=str.split), module=SimpleNamespace(config=None))
    lm.module.config = SimpleNamespace(length=9)
    rows = [{"messages": [{"role": "user", "content": "word " * words}]} for words in (4, 5, 200)]
    assert [fits(row, lm) for row in rows] == [True, False, False]


def test_a_source_has_a_line_of_its_own():
    line = source_line("poems", {"value": 1.5, "interval": (1.41, 1.62), "of": 3})
    assert line == "held out   1.500 bits per byte (1.410 to 1.620) of poems"
