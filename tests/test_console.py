"""One line a step that fits a terminal; none is lost where the output is a file."""

from hornbook.console import Console, span, step_line

ROW = {"step": 1200, "loss": 3.2139, "bits_per_byte": 1.0872, "lr": 3e-4, "tokens_per_second": 41234.0, "mfu": 0.43}


def test_the_line_of_a_step():
    line = step_line({**ROW}, 5000, 720.0)
    assert line == "step 1200/5000  loss 3.214  bpb 1.087  lr 3.0e-04  41k tok/s  mfu 43%  left 12m00s"


def test_numbers_stand_below_each_other():
    lines = [step_line({**ROW, "step": step}, 5000, 60) for step in (1, 10, 1000)]
    assert len({line.index("loss") for line in lines}) == 1


def test_in_a_file_the_first_and_the_last_step_are_always_there(capsys):
    console = Console()
    for step in range(1, 101):
        console.step({**ROW, "step": step}, 100, 1.0)
    console.close()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("step   1/100")
    assert lines[-1].startswith("step 100/100")
    assert len(lines) < 10


def test_on_a_terminal_a_line_is_written_over_and_notes_stand_alone(capsys):
    console = Console()
    console.live = True
    console.step({**ROW, "step": 1}, 100, 1.0)
    console.note("a note")
    console.step({**ROW, "step": 2}, 100, 1.0)
    console.close()
    written = capsys.readouterr().out
    assert written.count("\n") == 2
    assert "\r\x1b[2Ka note\n" in written


def test_long_times():
    assert [span(seconds) for seconds in (0, 59.6, 3599.6, 7325)] == ["0s", "1m00s", "1h00m", "2h02m"]
