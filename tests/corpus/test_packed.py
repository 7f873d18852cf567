import gzip
import zlib
from pathlib import Path

import pyarrow as pa
import pytest

from hornbook.corpus import packed
from hornbook.corpus.packed import Damaged, Members, open_packed

LINES = [f"line {number} {zlib.crc32(b'%d' % number)}\n".encode() * 20 for number in range(50)]
PARTS = [gzip.compress(lines) for lines in LINES]
MIDDLE = len(b"".join(PARTS[:20]))


def read(path: Path, content: bytes) -> tuple[list[bytes], list[tuple[int, str]]]:
    path.write_bytes(content)
    faults: list[tuple[int, str]] = []
    with open_packed(path, lambda offset, why: faults.append((offset, why))) as stream:
        return list(stream), faults


def test_members_in_a_row_are_one_text(tmp_path: Path) -> None:
    lines, faults = read(tmp_path / "a.gz", b"".join(PARTS) + b"\0" * 100_000)
    assert (b"".join(lines), faults) == (b"".join(LINES), [])


@pytest.mark.parametrize(
    ("damage", "why"),
    [(slice(0, 2), "incorrect header check"), (slice(20, 40), "in"), (slice(-8, -4), "incorrect data check")],
)
def test_a_broken_member_in_the_middle_costs_itself(tmp_path: Path, damage: slice, why: str) -> None:
    broken = bytearray(PARTS[20])
    broken[damage] = b"\xee" * len(broken[damage])
    lines, [(offset, said)] = read(tmp_path / "a.gz", b"".join([*PARTS[:20], bytes(broken), *PARTS[21:]]))
    assert offset == MIDDLE
    assert said.startswith(why)
    text = b"".join(lines)
    assert text.startswith(b"".join(LINES[:20]))
    assert text.endswith(b"\n" + b"".join(LINES[21:]))
    assert set(lines) <= {b"\n", *b"".join(LINES).splitlines(keepends=True)}  # no half line


def test_what_is_cut_short_gives_what_was_whole(tmp_path: Path) -> None:
    lines, faults = read(tmp_path / "a.gz", b"".join(PARTS)[:-10])
    assert b"".join(lines).startswith(b"".join(LINES[:49]))
    assert faults == [(len(b"".join(PARTS[:49])), "cut short")]


def test_empty_files_and_empty_members(tmp_path: Path) -> None:
    assert read(tmp_path / "a.gz", b"") == ([], [])
    assert read(tmp_path / "a.gz", gzip.compress(b"") * 3 + gzip.compress(b"x")) == ([b"x"], [])


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_a_bomb_is_given_up_before_it_fills_anything(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packed, "BOMB_BYTES", 1_000_000)
    path, zeros = tmp_path / f"a{ending}", b"\0" * 20_000_000
    content = gzip.compress(zeros) if ending == ".gz" else pa.Codec("zstd").compress(zeros, asbytes=True)
    path.write_bytes(content)
    most = packed.most_bytes(path)
    assert most == max(1_000_000, 200 * len(content)) < len(zeros)
    with open_packed(path) as stream, pytest.raises(Damaged, match="unpacks to more than 200 times its size"):
        assert sum(map(len, iter(lambda: stream.read(100_000), b""))) <= most
    if ending == ".gz":
        _, faults = read(path, content)
        assert faults == [(0, "unpacks to more than 200 times its size")]


def test_a_member_that_is_left_early_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(b"".join(PARTS))
    members, firsts = Members(path), []
    while members.begin():
        firsts.append((members.offset, members.read(4)))
    members.close()
    assert [first for _, first in firsts] == [b"line"] * 50
    assert firsts[20][0] == MIDDLE
