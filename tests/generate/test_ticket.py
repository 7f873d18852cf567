"""A ticket: pieces in order for a loop or a listener, nothing after the last, an error behind it."""

import pytest

from hornbook.core.errors import UserError
from hornbook.generate.ticket import Piece, Request, Ticket


def test_pieces_come_in_order_and_nothing_after_the_last() -> None:
    ticket = Ticket(Request(prompt=[1]))
    for piece in (Piece("a", [1], []), Piece("b", [2], [], "end"), Piece("c", [3], [])):
        ticket.deliver(piece)
    assert ticket.ended
    assert [piece.text for piece in ticket] == ["a", "b"]
    assert list(ticket) == []


def test_a_listener_hears_what_came_before_it() -> None:
    ticket, heard = Ticket(Request(prompt=[1])), list[Piece]()
    ticket.deliver(Piece("a", [1], []))
    ticket.listen(heard.append)
    ticket.deliver(Piece("b", [2], [], "stop"))
    assert [piece.text for piece in heard] == ["a", "b"]


def test_an_error_comes_behind_the_last_piece() -> None:
    ticket = Ticket(Request(prompt=[1]))
    ticket.fail(UserError("no token can be drawn"))
    told = []
    with pytest.raises(UserError, match="no token"):
        told.extend(ticket)
    assert ticket.error is not None
    ended = Ticket(Request(prompt=[1]))
    ended.deliver(Piece("", [], [], "end"))
    ended.fail(UserError("too late"))
    assert ended.error is None
