import gzip
from pathlib import Path

import pytest

from hornbook.corpus import records as framing
from hornbook.corpus.records import records
from hornbook.corpus.warc import WARC
from tests.corpus.archives import record, write

BODIES = [f"body {number} ".encode() * 50 for number in range(6)]
WHOLE = [record(body, kind="resource") for body in BODIES]
START = sum(map(len, WHOLE[:2]))


def read(path: Path) -> tuple[list[bytes], list[tuple[str, str]]]:
    faults: list[tuple[str, str]] = []
    found = [each.body for each in records(path, WARC, lambda place, why: faults.append((place, why)))]
    return found, faults


@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz"])
def test_every_record_comes_back(tmp_path: Path, name: str) -> None:
    assert read(write(tmp_path / name, WHOLE)) == (BODIES, [])


def test_an_archive_that_is_packed_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.warc.gz"
    path.write_bytes(gzip.compress(b"".join(WHOLE)))
    assert read(path) == (BODIES, [])
    places = [each.place for each in records(path, WARC, lambda place, why: None)]
    assert places[:2] == ["0", f"0+{len(WHOLE[0])}"]


@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz"])
@pytest.mark.parametrize(
    ("length", "why"),
    [
        (5, "does not end after its 5 bytes"),
        (len(BODIES[2]) + 30, "does not end after its 380 bytes"),
        (100_000, "cut short"),
        (0, "does not end after its 0 bytes"),
        (-3, "Content-Length '-3' is no number of bytes"),
        ("", "Content-Length '' is no number of bytes"),
        (10**30, "is no number of bytes"),
    ],
)
def test_a_lying_length_costs_its_record(tmp_path: Path, name: str, length: int | str, why: str) -> None:
    lie = record(BODIES[2], kind="resource", length=length)
    path = write(tmp_path / name, [*WHOLE[:2], lie, *WHOLE[3:]])
    found, [(place, said)] = read(path)
    assert found == BODIES[:2] + BODIES[3:]
    offset = START if name == "a.warc" else sum(len(gzip.compress(each)) for each in WHOLE[:2])
    assert place == str(offset)
    assert why in said or "cut short" in said  # packed, there is nothing behind the record


def test_a_record_that_ends_with_its_head(tmp_path: Path) -> None:
    """The next one begins where its body should."""
    bare = record(b"", kind="resource", length=50)[: -len(b"\r\n\r\n")]
    found, [(place, why)] = read(write(tmp_path / "a.warc", [*WHOLE[:2], bare, *WHOLE[2:]]))
    assert (found, place, why) == (BODIES, str(START), "does not end after its 50 bytes")


def test_what_is_no_record_is_passed_over(tmp_path: Path) -> None:
    path = write(tmp_path / "a.warc", [*WHOLE[:2], b"garbage of WARC/1.0 \xff\n" * 9, *WHOLE[2:]])
    assert read(path) == (BODIES, [(str(START), "no WARC record begins here")])


def test_a_file_that_is_no_archive(tmp_path: Path) -> None:
    assert read(write(tmp_path / "a.warc", [b"<html>" * 100_000])) == ([], [("0", "no WARC record begins here")])


@pytest.mark.parametrize("cut", [1, 50, 300, 600])
def test_a_truncated_archive_gives_what_was_whole(tmp_path: Path, cut: int) -> None:
    for name in ("a.warc", "a.warc.gz"):
        path = write(tmp_path / name, WHOLE)
        last = len(WHOLE[-1]) if name == "a.warc" else len(gzip.compress(WHOLE[-1]))
        if (cut < 5 and name == "a.warc") or cut >= last:
            continue  # only the line end behind the last record is missing
        path.write_bytes(path.read_bytes()[:-cut])
        found, [(place, why)] = read(path)
        assert found == BODIES[:5]
        assert int(place) == path.stat().st_size + cut - last
        assert "cut short" in why or "no WARC record" in why


def test_a_broken_member_costs_its_record(tmp_path: Path) -> None:
    packed = [bytearray(gzip.compress(each)) for each in WHOLE]
    packed[2][-6] ^= 255  # the checksum: all was read before it is seen to be wrong
    path = tmp_path / "a.warc.gz"
    path.write_bytes(b"".join(packed))
    found, [(place, why)] = read(path)
    assert found == BODIES[:2] + BODIES[3:]
    assert place == str(sum(map(len, packed[:2])))
    assert why == "damaged (incorrect data check)"


def test_a_record_longer_than_any_page_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(framing, "RECORD_BYTES", 1_000)
    long = record(b"x" * 3_000_000, kind="resource")
    for name in ("a.warc", "a.warc.gz"):
        found, [(_, why)] = read(write(tmp_path / name, [*WHOLE[:2], long, *WHOLE[2:]]))
        assert found == BODIES
        assert why == "a record of 3000000 bytes, over 1000"
