"""Answers outlive the process that got them."""

from hornbook.evaluate.cache import Cache, fingerprint, key
from hornbook.evaluate.request import Continuation, Rolling, Until


def test_what_was_answered_is_known_to_the_next_process(tmp_path) -> None:
    asked = Continuation("1 + 1 =", " 2")
    Cache(tmp_path, "model a").keep([(asked, {"log_likelihood": -0.5}), (Until("a"), "b")])
    again = Cache(tmp_path, "model a")
    assert again.find(asked) == {"log_likelihood": -0.5}
    assert again.find(Until("a")) == "b"
    assert again.find(Until("a", max_new_tokens=3)) is None
    assert Cache(tmp_path, "model b").find(asked) is None


def test_a_line_that_a_kill_cut_short_is_asked_again(tmp_path) -> None:
    cache = Cache(tmp_path, "m")
    cache.keep([(Rolling("a"), 1), (Rolling("b"), 2)])
    with cache.log.path.open("a") as file:
        file.write('{"question": "abc", "ans')
    again = Cache(tmp_path, "m")
    assert [again.find(Rolling(text)) for text in "abc"] == [1, 2, None]


def test_keys_tell_kinds_and_contents_apart() -> None:
    assert len({key(q) for q in (Rolling("a"), Until("a"), Continuation("a", ""), Continuation("", "a"))}) == 4


def test_a_model_is_its_files_and_how_it_is_run(tmp_path) -> None:
    (tmp_path / "config.json").write_text("{}")
    before = fingerprint(tmp_path, "float32")
    assert before == fingerprint(tmp_path, "float32") != fingerprint(tmp_path, "bfloat16")
    (tmp_path / "config.json").write_text("{ }")
    assert fingerprint(tmp_path, "float32") != before
