"""A filter drops with a reason and keeps the order; what one document gets does not depend on its neighbours."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import pytest

from hornbook.corpus.document import Document
from hornbook.corpus.filter import TextFilter, check_shares


@dataclass(frozen=True, kw_only=True)
class Short(TextFilter):
    name: ClassVar[str] = "short"
    share: float = 0.5

    def reasons(self, text: str) -> Iterator[str]:
        if len(text) < 3:
            yield "short"
        if not text:
            yield "empty"


def test_the_first_reason_counts_and_order_stays() -> None:
    documents = [Document(str(i), text, "s") for i, text in enumerate(["long", "", "aa", "longer"])]
    result = Short().build()(documents)
    assert [document.id for document in result.kept] == ["0", "3"]
    assert [(document.id, reason) for document, reason in result.dropped] == [("1", "short"), ("2", "short")]


def test_a_share_is_between_0_and_1() -> None:
    check_shares(Short(share=1.0), "share")
    with pytest.raises(ValueError, match=r"share: 30 is not a share .*give for instance 0\.3"):
        check_shares(Short(share=30), "share")
