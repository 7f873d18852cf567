import numpy as np
import pytest

from hornbook.core.errors import UserError
from hornbook.data.marks import marks
from tests.data.conftest import MarkedTokenizer


def test_marks_are_found_by_the_spellings_of_public_vocabularies() -> None:
    bert = marks(MarkedTokenizer(("[PAD]", "[CLS]", "[SEP]", "[MASK]")))
    assert (bert.pad, bert.begin, bert.end, bert.mask, bert.sentinels) == (257, 258, 259, 260, ())
    bart = marks(MarkedTokenizer(("<s>", "<pad>", "</s>", "<mask>")))
    assert (bart.begin, bart.pad, bart.end, bart.mask) == (257, 258, 259, 260)
    t5 = marks(MarkedTokenizer(("<pad>", "</s>", "<extra_id_1>", "<extra_id_10>", "<extra_id_0>")))
    assert t5.sentinels == (261, 259, 260)  # in the order of their numbers
    assert (t5.begin, t5.mask) == (None, None)


def test_a_vocabulary_with_an_end_only_ends_fills_and_begins_with_it() -> None:
    found = marks(MarkedTokenizer(()))
    assert (found.end, found.pad, found.begin, found.mask) == (256, 256, None, None)
    assert np.flatnonzero(found.is_text).tolist() == list(range(256))


def test_a_mark_that_is_missing_is_asked_for_by_name() -> None:
    bare = marks(MarkedTokenizer(()))
    with pytest.raises(UserError, match=r"tokenizer.special: has no token that hides another; add <mask>"):
        bare.require_mask()
    with pytest.raises(UserError, match=r"want 3 sentinels, there are 0; add <extra_id_0> to <extra_id_2>"):
        bare.require_sentinels(3)
