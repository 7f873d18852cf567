"""How byte-level BPE cuts a text first, by the names that GGUF gives it (`tokenizer.ggml.pre`), both ways.

A cut is a row of patterns, each of which divides what the one before it left. Where two models are called differently
and cut alike, one name stands for both when writing. Names and patterns: llama.cpp, src/llama-vocab.cpp; the patterns
here are those of the models' own tokenizer.json, from which llama.cpp's are adapted.
"""

from dataclasses import dataclass
from typing import Any

from hornbook.text.pretokenize import CL100K, GPT2, HAN

DIGIT = r"\p{N}"
_CASES = (r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]")
_WORDS = (rf"[^\r\n\p{{L}}\p{{N}}]?{_CASES[0]}*{_CASES[1]}+", rf"[^\r\n\p{{L}}\p{{N}}]?{_CASES[0]}+{_CASES[1]}*")
_REST = r" ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_SHORT = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"  # as most spell what CL100K says shorter


@dataclass(frozen=True)
class Cut:
    """One way to cut."""

    patterns: tuple[str, ...]
    composed: bool = False  # the text is normalised to NFC before
    whole: bool = False  # a piece that is a token is not merged: `ignore_merges`
    opens: bool = False  # a text begins with the token for that, unless the file says otherwise

    def describe(self) -> dict[str, Any]:
        """The pre_tokenizer of a tokenizer.json."""
        steps: list[dict[str, Any]] = []
        for pattern in self.patterns:
            if pattern == DIGIT:
                steps.append({"type": "Digits", "individual_digits": True})
            elif pattern != GPT2.pattern:
                steps.append({"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False})
        byte_level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True}
        steps.append({**byte_level, "use_regex": self.patterns[-1] == GPT2.pattern})
        return steps[0] if len(steps) == 1 else {"type": "Sequence", "pretokenizers": steps}


_GPT2 = Cut((GPT2.pattern,))
_DIGITS = Cut((DIGIT, GPT2.pattern))
_LLAMA3 = Cut((CL100K.pattern,), whole=True, opens=True)
_QWEN2 = Cut((CL100K.pattern.replace(r"\p{N}{1,3}", DIGIT),), composed=True)

CUTS = {
    "gpt-2": _GPT2,
    "smollm": _DIGITS,
    "llama-bpe": _LLAMA3,
    "qwen2": _QWEN2,
    "tekken": Cut((f"{'|'.join(_WORDS)}|{DIGIT}|{_REST}",), whole=True),
    "gpt-4o": Cut((f"{'|'.join(f'{word}{_SHORT}?' for word in _WORDS)}|{DIGIT}{{1,3}}|{_REST}",)),
    "hornbook-han": Cut((HAN.pattern,)),  # ours; llama.cpp does not know it and says so
    **dict.fromkeys(("phi-2", "mpt", "olmo", "jais", "trillion"), _GPT2),
    **dict.fromkeys(("starcoder", "refact", "command-r", "codeshell", "exaone", "minerva-7b"), _DIGITS),
    **dict.fromkeys(("llama3", "llama-v3", "falcon3", "pixtral"), _LLAMA3),
    **dict.fromkeys(("dbrx", "smaug-bpe"), Cut((CL100K.pattern,))),
    **dict.fromkeys(("stablelm2", "deepseek-r1-qwen", "megrez", "hunyuan"), _QWEN2),
}


def name_of(pre_tokenizer: Any) -> str | None:
    """The name of the cut that a tokenizer.json describes, None where GGUF has none."""
    patterns = _patterns(pre_tokenizer)
    return next((name for name, cut in CUTS.items() if cut.patterns == patterns), None)


def _patterns(step: Any) -> tuple[str, ...] | None:
    """The patterns of a pre_tokenizer, or None where a step is of another kind."""
    match step:
        case {"type": "Sequence", "pretokenizers": steps}:
            parts = [_patterns(each) for each in steps]
            return None if None in parts else tuple(pattern for part in parts for pattern in part or ())
        case {"type": "Digits", "individual_digits": True}:
            return (DIGIT,)
        case {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated"} if not step.get("invert"):
            shorter: str = pattern.replace(_SHORT + "|", "'(?i:[sdmt]|ll|ve|re)|")
            return (shorter,)
        case {"type": "ByteLevel"} if not step.get("add_prefix_space"):
            return (GPT2.pattern,) if step.get("use_regex", True) else ()
    return None
