"""The rate of completions that parse, with its interval."""

from hornbook.evaluate.completion import parse_rate

HEAD = 'def area(width, height):\n    """The area."""\n'


def test_the_rate_counts_and_keeps_what_was_written() -> None:
    rate = parse_rate([HEAD, HEAD], lambda prompts: ["    return 1\nx = (", "    return ("])
    assert (rate.parsed, rate.trials, rate.share) == (1, 2, 0.5)
    assert rate.completions == ("    return 1", "    return (")
    assert rate.interval[0] < 0.5 < rate.interval[1]
