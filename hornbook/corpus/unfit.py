"""Instructions that a model of text cannot follow, or that are none: a reason for each, or None.

Wang et al. 2023, section 3.2 and the published code: too short, too long, about pictures, files or sound, programs to
be written without saying which, a sign at the beginning. The same in Chinese, which the published code drops whole.
"""

import regex

from hornbook.corpus.rouge import words

FEWEST, MOST = 4, 150  # words; the published code drops 3 or fewer, and more than 150
KEYWORDS = (
    "image images graph graphs picture pictures file files map maps draw plot video audio music flowchart diagram"
)
HAN_KEYWORDS = "图片 图像 图表 照片 视频 音频 音乐 地图 文件 绘制 画出 流程图 示意图"
UNFIT = regex.compile(rf"\b(?:{'|'.join(KEYWORDS.split())}|go to)\b|{'|'.join(HAN_KEYWORDS.split())}", regex.IGNORECASE)
PROGRAM = regex.compile(r"write a program\b|写一个程序|编写一个程序", regex.IGNORECASE)
SIGN = regex.compile(r"[\p{P}\p{S}]")


def unfit(instruction: str) -> str | None:
    """Why an instruction is not kept.

    >>> unfit("Draw a picture of a cat."), unfit("Name three colours of the sky.")
    ('asks for what text cannot give', None)
    """
    count = len(words(instruction))
    if count < FEWEST:
        return "too short"
    if count > MOST:
        return "too long"
    if UNFIT.search(instruction):
        return "asks for what text cannot give"
    if PROGRAM.match(instruction):
        return "asks for a program"
    if SIGN.match(instruction):
        return "begins with a sign"
    return None
