# ruff: noqa: RUF001  # typographic quotes are what is tested
from pathlib import Path

import pytest

from hornbook.corpus.document import Document
from hornbook.corpus.gutenberg import Gutenberg, body

BOOK = (
    "CHAPTER I\n\nIt was a dark night, and Project Gutenberg was far away.\n\nCHAPTER II\n\nIt was darker.\n\nTHE END\n"
)
HEADER = (
    "The Project Gutenberg EBook of Night, by A. Writer\n\nTitle: Night\n\nAuthor: A. Writer\n\nLanguage: English\n\n"
)
LICENCE = "\n\nUpdated editions will replace the previous one.\n" + "*** START: FULL LICENSE ***\nlegal words\n" * 20


@pytest.mark.parametrize(
    "start",
    [
        "*** START OF THIS PROJECT GUTENBERG EBOOK NIGHT ***\n",
        "***START OF THE PROJECT GUTENBERG EBOOK NIGHT***\n",
        "*** START OF THE PROJECT GUTENBERG EBOOK A VERY LONG TITLE OF A\nBOOK ABOUT THE NIGHT ***\n",
        "*** START OF THE PROJECT GUTENBERG EBOOK NIGHT ***\n\n\nProduced by Someone and the\nOnline Team\n\n\n",
        "*** START OF THE PROJECT GUTENBERG EBOOK NIGHT ***\n\nE-text prepared by Someone\n\n",
        "**Welcome To Free Plain Texts**\n\n*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*\n",
        "*END THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.07/27/01*END*\n",
    ],
)
@pytest.mark.parametrize(
    "end",
    [
        "*** END OF THIS PROJECT GUTENBERG EBOOK NIGHT ***\n",
        "End of Project Gutenberg's Night, by A. Writer\n\n*** END OF THIS PROJECT GUTENBERG EBOOK NIGHT ***\n",
        "End of the Project Gutenberg EBook of Night, by A. Writer\n",
        "End of Project Gutenberg’s Night\n",
        "***END OF THE PROJECT GUTENBERG EBOOK NIGHT***\n",
        "End of The Project Gutenberg Etext of Night\n",
    ],
)
def test_header_and_footer_of_every_period(start: str, end: str) -> None:
    text, said = body(HEADER + start + "\n\n" + BOOK + "\n\n\n" + end + LICENCE)
    assert text == BOOK
    assert said == {"title": "Night", "author": "A. Writer", "language": "English"}


def test_a_file_without_empty_lines_loses_the_line_of_credits_alone() -> None:
    lines = "Produced by Someone\n" + "A line of the book.\n" * 100
    assert body(f"*** START OF THIS PROJECT GUTENBERG EBOOK X ***\n{lines}")[0] == "A line of the book.\n" * 100


def test_pieces_of_a_long_book() -> None:
    first, last = (
        HEADER + "*** START OF THE PROJECT GUTENBERG EBOOK NIGHT ***\n\n" + BOOK,
        BOOK + "\n*** END OF THE PROJECT GUTENBERG EBOOK NIGHT ***\n" + LICENCE,
    )
    assert (body(first)[0], body(last)) == (BOOK, (BOOK, {}))


def test_the_step_tells_what_it_did() -> None:
    book = Document(
        "a", HEADER + "*** START OF THE PROJECT GUTENBERG EBOOK NIGHT ***\n" + BOOK, "s", metadata={"k": "v"}
    )
    other = Document("b", "A page about Project Gutenberg.\nEnd of story.\n", "s")
    empty = Document("c", HEADER + "*** START OF THE PROJECT GUTENBERG EBOOK NIGHT ***\n", "s")
    result = Gutenberg().build()([book, other, empty])
    assert [document.text for document in result.kept] == [BOOK, other.text]
    assert result.kept[0].metadata == {"k": "v", "title": "Night", "author": "A. Writer", "language": "English"}
    assert result.kept[1] is other
    assert result.changed == [(book, "header and footer of Project Gutenberg")]
    assert result.dropped == [(empty, "nothing but the licence")]


def test_hostile_texts_take_little_time() -> None:
    for text in (
        "*** START OF THE PROJECT GUTENBERG EBOOK " + "a\n" * 30_000,
        "***" * 20_000,
        " \t" * 20_000,
        "End of " * 20_000,
    ):
        body(text)


def test_real_books(shared_data: Path) -> None:
    for name, first, last in (
        ("alice_11.txt", "ALICE’S ADVENTURES IN WONDERLAND\n", "THE END\n"),
        ("botchan_en.txt", "BOTCHAN (MASTER DARLING)\n", "[R: Rad]\n"),
    ):
        text = (shared_data / "text" / "gutenberg" / name).read_text(encoding="utf-8-sig")
        book, said = body(text)
        assert book.startswith(first)
        assert book.endswith(last)
        assert "gutenberg" not in book.lower()
        assert said["language"] == "English"
        assert len(text) - len(book) == pytest.approx(19_300, abs=300)
