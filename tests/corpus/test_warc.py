import gzip
from pathlib import Path

import pytest

from hornbook.core.errors import UserError
from tests.corpus.archives import PROSE, page, record, response, story, write
from tests.corpus.reading import documents

REQUEST = record(b"GET / HTTP/1.1\r\n\r\n", kind="request")


@pytest.mark.parametrize("name", ["a.warc", "a.warc.gz"])
def test_responses_are_documents_with_their_addresses(tmp_path: Path, name: str) -> None:
    records = [record(b"software: x\r\n", kind="warcinfo"), *(each for n in range(3) for each in (REQUEST, story(n)))]
    path = write(tmp_path / name, records)
    found, ledger = documents(path, strict=True)
    assert [(d.text, d.url) for d in found] == [(page(n), f"https://example.org/{n}") for n in range(3)]
    assert {d.metadata["format"] for d in found} == {"html"}
    offset = len(b"".join(map(gzip.compress, records[:2]))) if name.endswith(".gz") else len(b"".join(records[:2]))
    assert found[0].id == f"{name}:{offset}"
    assert (ledger.bad, ledger.skipped) == (0, {})


def test_wet_is_text_with_its_languages(tmp_path: Path) -> None:
    headers = "WARC-Target-URI: <http://a.es/>\r\nWARC-Identified-Content-Language: spa,eng\r\n"
    path = write(tmp_path / "a.warc.wet.gz", [record("Año, ¿qué?\n".encode(), kind="conversion", headers=headers)])
    [found], _ = documents(path)
    assert (found.text, found.url, found.language, found.metadata) == ("Año, ¿qué?\n", "http://a.es/", "es", {})


def test_arc(tmp_path: Path) -> None:
    body = response(page().encode(), "Content-Type: text/html")
    head = b"filedesc://a.arc 0.0.0.0 20140216050221 text/plain 12\n1 0 Capture\n\n"
    ours = b"http://example.com/ 93.184.216.119 20140216050221 text/html %d\n" % len(body) + body + b"\n"
    lie = ours.replace(b" %d\n" % len(body), b" 77\n", 1)
    for name in ("a.arc", "a.arc.gz"):
        found, ledger = documents(write(tmp_path / name, [head, ours, lie, ours]))
        assert [(d.text, d.url) for d in found] == [(page(), "http://example.com/")] * 2
        assert [place["why"] for place in ledger.bad_places] == ["does not end after its 77 bytes"]


def test_what_is_no_page_is_counted_by_kind(tmp_path: Path) -> None:
    records = [
        record(response(b"GIF89a", "Content-Type: image/gif")),
        record(response(b"{}", "Content-Type: application/json")),
        record(response(b"?", "Content-Type: made-up-by/a server")),
        record(response(page().encode(), status="404 Not Found")),
        record(response(b"")),
        record(b"", kind="resource"),
        record(response(page(1).encode(), "Content-Type: application/octet-stream")),
        record(response(PROSE.encode(), "Content-Type: text/plain")),
    ]
    found, ledger = documents(write(tmp_path / "a.warc.gz", records))
    assert [document.text for document in found] == [page(1), PROSE]
    assert "format" not in found[1].metadata
    assert ledger.bad == 0
    assert ledger.skipped == {
        "not a page (image)": 1,
        "not a page (application)": 1,
        "not a page (of no known kind)": 1,
        "an answer other than 200, a page that is not there": 1,
        "empty record": 2,
    }


def test_bad_records_are_counted_with_their_place(tmp_path: Path) -> None:
    bad = [
        record(b""),
        record(b"no answer of a server"),
        record(response(b"\x1f\x8b" + b"\xff" * 40, "Content-Type: text/html\r\nContent-Encoding: gzip")),
        record(response(b"\x89PNG" + b"\0\xff" * 90)),
        record(response(page(7).encode()), length=12),
        b"WARC/1.0\r\nWARC-Type: response\r\n\r\n",
    ]
    path = write(tmp_path / "a.warc", [part for number, each in enumerate(bad) for part in (story(number), each)])
    found, ledger = documents(path)
    assert [document.text for document in found] == [page(number) for number in range(6)]
    data = path.read_bytes()
    places = [int(place["place"].rpartition(":")[2]) for place in ledger.bad_places]
    assert len(places) == 6
    assert all(data[place:].startswith(b"WARC/1.0") for place in places)
    whys = [place["why"].partition(";")[0] for place in ledger.bad_places]
    assert whys == [
        "no answer of a web server",
        "no answer of a web server",
        "a page that cannot be unpacked (unknown compression method)",
        "binary data, not a page",
        "does not end after its 12 bytes",
        "Content-Length '' is no number of bytes",
    ]


def test_archives_without_pages(tmp_path: Path) -> None:
    for content, why in ([REQUEST], "archive without a page"), ([], "empty file"):
        path = write(tmp_path / "a.warc.gz", content)
        assert documents(path)[1].skipped == {why: 1}
        with pytest.raises(UserError, match=why):
            documents(path, strict=True)


def test_real_archives(shared_data: Path) -> None:
    counts = {}
    for path in sorted((shared_data / "web").rglob("*arc*")):
        if path.is_file() and ".paths" not in path.name:
            found, ledger = documents(path)
            counts[path.name] = (len(found), ledger.bad, sum(ledger.skipped.values()))
    assert counts == {
        "sample-0000.warc.gz": (24, 0, 0),
        "sample-0001.warc.gz": (17, 0, 0),
        "whirlwind.warc": (1, 0, 0),
        "whirlwind.warc.gz": (1, 0, 0),
        "whirlwind.warc.wat.gz": (0, 0, 1),
        "whirlwind.warc.wet": (1, 0, 0),
        "whirlwind.warc.wet.gz": (1, 0, 0),
        "example-iana.org-chunked.warc": (1, 0, 0),
        "example-resource.warc.gz": (1, 0, 0),
        "example-trunc.warc": (0, 1, 0),  # the record says 973 bytes and the next begins earlier
        "example.arc.gz": (1, 0, 0),
        "example.warc": (1, 0, 0),
        "example.warc.gz": (1, 0, 0),
    }
