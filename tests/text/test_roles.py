"""Which token pads, masks and ends: named by the file, else by its usual spelling."""

from hornbook.text.roles import named_token, roles_of

SPECIAL = {"<pad>": 0, "<s>": 1, "</s>": 2, "<mask>": 3, "[MASK]": 4}


def test_what_a_file_names_comes_first() -> None:
    config = {"mask_token": {"content": "[MASK]", "lstrip": True}, "cls_token": "<s>", "sep_token": "<gone>"}
    assert roles_of(config, SPECIAL) == {"pad": 0, "bos": 1, "eos": 2, "cls": 1, "mask": 4}
    assert named_token(config, "mask") == "[MASK]"
    assert named_token(config, "unk") is None


def test_a_file_that_names_nothing() -> None:
    assert roles_of({}, {"[MASK]": 4, "[CLS]": 5}) == {"cls": 5, "mask": 4}
    assert roles_of({"unk_token": None}, {}) == {}
