import pytest

from hornbook.corpus.unfit import unfit


@pytest.mark.parametrize(
    ("instruction", "reason"),
    [
        ("Name three colours of the sky.", None),
        ("写一首关于春天的诗", None),
        ("Explain photography to a child.", None),
        ("Say so now", "too short"),
        ("写诗。", "too short"),
        ("word " * 151, "too long"),
        ("Draw a cat on a mat.", "asks for what text cannot give"),
        ("Describe the Image below in detail.", "asks for what text cannot give"),
        ("请描述这张图片的内容", "asks for what text cannot give"),
        ("Write a program that sorts a list.", "asks for a program"),
        ("编写一个程序来排序列表", "asks for a program"),
        ("- Name three colours of the sky.", "begins with a sign"),
    ],
)
def test_each_reason_and_what_is_kept(instruction: str, reason: str | None) -> None:
    assert unfit(instruction) == reason
