"""The 256 bytes as printable characters and as ids: GPT-2's alphabet, in which byte-level vocabularies are written.

A JSON file cannot hold raw bytes, so each byte is written as a character one can see: itself where it is printable,
else the next free character from U+0100 on (a space becomes `Ġ`, a newline `Ċ`). Ids 0 to 255 follow these characters
in order, as they do in GPT-2's vocabulary, tiktoken's rank files and what `tokenizers` trains (Radford et al., 2019).
"""

_PRINTABLE = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]

BYTES: list[int] = _PRINTABLE + [byte for byte in range(256) if byte not in _PRINTABLE]  # id -> byte
BYTE_IDS: list[int] = [BYTES.index(byte) for byte in range(256)]  # byte -> id
CHARACTERS: list[str] = [
    chr(byte if i < len(_PRINTABLE) else 256 + i - len(_PRINTABLE)) for i, byte in enumerate(BYTES)
]

_TO_CHARACTER = {byte: CHARACTERS[i] for i, byte in enumerate(BYTES)}
_TO_BYTE = {ord(character): byte for byte, character in _TO_CHARACTER.items()}


def visible(token: bytes) -> str:
    """Bytes as vocabulary files spell them.

    >>> visible(" the\\n".encode())
    'ĠtheĊ'
    """
    return "".join(map(_TO_CHARACTER.__getitem__, token))


def raw(token: str) -> bytes:
    """The bytes that a vocabulary file's spelling stands for; KeyError where it is no byte-level spelling.

    >>> raw("Ġthe")
    b' the'
    """
    return bytes(_TO_BYTE[ord(character)] for character in token)
