"""A file is the old one or the new one, never half of either."""

import errno
import os
import signal
import subprocess
import sys
import time

import pytest

from hornbook.core.errors import UserError
from hornbook.core.files import explain, new_folder, read_json, remove_leftovers, sha256, write_json, write_text


def test_what_was_written_is_read(tmp_path):
    write_json(tmp_path / "a" / "x.json", {"名": [1, 2.5, None]})
    assert read_json(tmp_path / "a" / "x.json") == {"名": [1, 2.5, None]}
    assert os.listdir(tmp_path / "a") == ["x.json"]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "x.txt"
    write_text(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_text(path, "new \udcff")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["x.txt"]


def test_a_folder_appears_whole_or_not_at_all(tmp_path):
    def fail() -> None:
        with new_folder(tmp_path / "run") as aside:
            (aside / "half").write_text("x")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert os.listdir(tmp_path) == []
    for text in ("first", "second"):
        with new_folder(tmp_path / "run") as aside:
            (aside / "whole").write_text(text)
    assert (tmp_path / "run" / "whole").read_text() == "second"
    assert os.listdir(tmp_path) == ["run"]


WRITER = """
import sys
from pathlib import Path
from hornbook.core.files import new_folder
n = 0
while True:
    with new_folder(Path(sys.argv[1])) as aside:
        (aside / "a").write_text(str(n) * 50_000)
        (aside / "b").write_text(str(n) * 50_000)
    n += 1
    print(n, flush=True)
"""


def test_a_writer_killed_at_any_moment_leaves_a_whole_folder(tmp_path):
    for pause in (0.0, 0.003, 0.007, 0.012):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(tmp_path / "x")], stdout=subprocess.PIPE, text=True
        )
        assert writer.stdout is not None
        assert writer.stdout.readline()
        time.sleep(pause)
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        remove_leftovers(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["x"]
        assert (tmp_path / "x" / "a").read_text() == (tmp_path / "x" / "b").read_text() != ""


def test_an_old_folder_whose_successor_never_came_is_put_back(tmp_path):
    (tmp_path / ".model.17.old").mkdir()
    (tmp_path / ".model.17.old" / "weights").write_text("precious")
    (tmp_path / ".model.17.aside").mkdir()
    remove_leftovers(tmp_path)
    assert (tmp_path / "model" / "weights").read_text() == "precious"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_broken_json_is_named(tmp_path):
    (tmp_path / "x.json").write_text('{"a": ')
    with pytest.raises(UserError, match=r"x\.json: not valid JSON; delete it"):
        read_json(tmp_path / "x.json")


def test_a_hash_is_that_of_sha256sum(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")
    assert sha256(tmp_path / "x") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "no space left"),
        (errno.EFBIG, "may not grow"),
        (errno.EACCES, "no permission"),
        (errno.EROFS, "read-only"),
    ],
)
def test_disk_errors_are_one_sentence_with_the_place(number, words):
    sentence = explain(OSError(number, "x", "/data/run"))
    assert sentence is not None
    assert sentence.startswith("/data/run: ")
    assert words in sentence


def test_other_errors_stay_what_they_are():
    assert explain(OSError(errno.EIO, "x")) is None
