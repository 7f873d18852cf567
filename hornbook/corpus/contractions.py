"""Pieces of English text that the rules of words.py would cut wrongly: contractions, abbreviations, times, smileys.

After the Penn Treebank's guidelines: `cannot` is two words, `don't` is do and n't. Also without the apostrophe, as
people write on the web (`dont`, `youre`), unless that is a word of its own (`well`, `its`).
"""

# ruff: noqa: RUF001 - the signs of every script, some of which look like others

from itertools import product

SUBJECTS = {  # these words and those endings
    "i": "m ll d ve",
    "you we they": "ll d ve re",
    "he she it": "ll d s",
    "who what when where why how there": "ll d s re ve",
    "that": "ll d s",
    "this": "ll d s re ve",
    "these those": "ll d re ve",
    "could might must should would": "ve",
}
NEGATED = "ca could do does did had may might must need ought sha should wo would ai are is was were have has dare"
WORDS_THEMSELVES = {"ill", "its", "hell", "shell", "shed", "were", "well", "whore"}
HALVES = "can not|gon na|got ta|let 's|c'm on|y' all|y all|not 've|not ve"
WHOLE = """
    Mt. Ak. Ala. Apr. Ariz. Ark. Aug. Calif. Colo. Conn. Dec. Del. Feb. Fla. Ga. Ia. Id. Ill. Ind. Jan. Jul. Jun.
    Kan. Kans. Ky. La. Mar. Mass. Mich. Minn. Miss. Mo. Mont. N.C. N.D. N.H. N.J. N.M. N.Y. Neb. Nebr. Nev. Nov.
    Oct. Okla. Ore. Pa. S.C. Sep. Sept. Tenn. Va. Wash. Wis. a.m. Adm. Bros. co. Co. Corp. D.C. Dr. e.g. E.g. E.G.
    Gen. Gov. i.e. I.e. I.E. Inc. Jr. Ltd. Md. Messrs. Mr. Mrs. Ms. p.m. Ph.D. Prof. Rep. Rev. Sen. St. vs. v.s. ä.
    ö. ü. C++ 's 'S 'd 're 'em 'll 'nuff 'Cause 'cause 'cos 'Cos 'coz 'Coz 'cuz 'Cuz 'bout ma'am Ma'am o'clock
    O'clock and/or w/o ol' Ol' doin' Doin' goin' Goin' nothin' Nothin' nuthin' Nuthin' somethin' Somethin' lovin'
    Lovin' havin' Havin' :) :-) :)) (: =) :] ;) ;-) :( :-( :(( =( >:( :'( :/ :-/ =/ =| :| :P :-P :p :-p :O :-O :o :*
    :-* :3 =3 :> :X :x :D :-D ;D =D xD XD XDD 8) 8D ^_^ ^__^ >.< >.> <.< ._. ;_; -_- o_o O_O o_O O_o o.O O.o <3 </3
    '' \\n \\t
"""


def _contractions() -> dict[str, tuple[str, ...]]:
    """Whole -> its words, with the straight apostrophe or none."""
    found: dict[str, tuple[str, ...]] = {}
    pairs = [(word, end) for listed, ends in SUBJECTS.items() for word in listed.split() for end in ends.split()]
    for (word, end), mark in product(pairs, ("'", "")):
        found[word + mark + end] = (word, mark + end)
        if end in ("ll", "d"):
            found[f"{word}{mark}{end}{mark}ve"] = (word, mark + end, f"{mark}ve")
    for word, end in product(NEGATED.split(), ("n't", "nt")):
        found[word + end] = (word, end)
    for pair in HALVES.split("|"):
        first, second = pair.split()
        found[first + second] = (first, second)
    for whole, (first, *rest) in list(found.items()):
        found[_capital(whole)] = (_capital(first), *rest)
    for hour, half in product(range(1, 13), ("a.m.", "am", "p.m.", "pm")):
        found[f"{hour}{half}"] = (str(hour), half)
    return {whole: words for whole, words in found.items() if whole.lower() not in WORDS_THEMSELVES}


def _capital(word: str) -> str:
    return word[0].upper() + word[1:]


def _known() -> dict[str, tuple[str, ...]]:
    whole = {each: (each,) for each in [*WHOLE.split(), *(f"{letter}." for letter in "abcdefghijklmnopqrstuvwxyz")]}
    found = _contractions() | whole
    curly = {key.replace("'", "’"): tuple(word.replace("'", "’") for word in found[key]) for key in found if "'" in key}
    return found | curly


KNOWN = _known()
LONGEST_KNOWN = max(map(len, KNOWN))
