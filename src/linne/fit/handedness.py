"""Does a mirrored image keep its label? Decided from class names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

SIDES = frozenset(
    (
        *("left", "leftward", "leftwards", "leftmost", "lefthand", "lefthanded"),
        *("right", "rightward", "rightwards", "rightmost", "righthand", "righthanded"),
        *("clockwise", "counterclockwise", "anticlockwise"),
        *("rechts", "gauche", "droite"),  # German and Dutch, French
        *("izquierda", "izquierdo", "derecha", "esquerda", "esquerdo", "direita"),  # Spanish, Portuguese
        *("sinistra", "destra", "vänster", "höger", "venstre", "højre", "høyre"),  # Italian, Scandinavian languages
        *("влево", "вправо", "налево", "направо", "левый", "правый", "왼쪽", "오른쪽"),  # Russian, Korean
    )
)
"""Words that speak of a side, whatever the other classes are."""

WITH_TWIN = (
    ("l", "r"),
    ("links", "rechts"),  # a golf course, too
    ("linke", "rechte"),
    ("linker", "rechter"),
    ("sinistro", "destro"),  # an accident, too
    ("lewo", "prawo"),  # Polish
    ("west", "east"),  # the West Highland terrier keeps its label
    ("westbound", "eastbound"),
    ("northwest", "northeast"),
    ("southwest", "southeast"),
    ("nw", "ne"),
    ("sw", "se"),
    ("ccw", "cw"),
    ("port", "starboard"),
    ("os", "od"),  # eyes, as ophthalmologists call them
)
"""Words that do so where another class has the same name, but for the other side."""

SIGNS = ("左", "右")
"""Chinese and Japanese: parts of words, which have no blanks between them."""

NOT_SIDES = re.compile(r"\b(right (whale|angle|angled|triangle|prism|of way)|left over|left overs)s?\b")
"""Where the words mean something else."""

JOINED = re.compile(
    r"(top|bottom|upper|lower|front|rear|turn|keep|swipe|arrow|hand|arm|leg|foot|eye|ear)(left|right)|"
    r"(left|right)(turn|arrow|hand|arm|leg|foot|eye|ear|lane|side)s?"
)
"""Words written as one; "upright" and "downright" are not among them."""

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
CALLED = ("digit", "number", "numeral", "letter", "character", "char", "glyph", "symbol")
"""What stands before the letter or number that a class is of."""

UNTOLD = ("class", "cls", "category", "label")
"""A number after these does not tell what it stands for, nor does one alone."""

_INNER_CAPITAL = re.compile(r"(?<=[^\W\d_A-Z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_WORD = re.compile(r"[^\W\d_]+|\d+")


def mirrored_keeps_label(labels: tuple[str, ...]) -> tuple[bool, str]:
    """Decide from the class names, with a sentence of reason.

    Mirroring is off where a name speaks of a side ("left", "turn-right", "turnLeft"), where two differ in the side
    alone ("hand_L" and "hand_R", "west wing" and "east wing"), and where two or more are letters or numbers ("b",
    "digit_3", "seven"): a mirrored 2 is no 2, and numbers may stand for anything.
    """
    words = {label: _words(label) for label in labels}
    for label in labels:
        if _speaks_of_a_side(words[label]):
            return False, f"no mirroring: the class {label} speaks of a side"
    found = {tuple(its): label for label, its in words.items()}
    for label in labels:
        for other in _twins(words[label]):
            if other in found:
                return False, f"no mirroring: the classes {label} and {found[other]} differ in the side alone"
    characters = [label for label in labels if _is_character(label, words[label])]
    if len(characters) > 1 or len(characters) == len(labels) > 0:
        return False, f"no mirroring: classes such as {characters[0]} are numbers or letters"
    return True, "mirroring: no class name speaks of a side"


def _words(label: str) -> list[str]:
    """Words and numbers of a name, in small letters; capitals inside a word begin another one."""
    return _WORD.findall(_INNER_CAPITAL.sub(" ", unicodedata.normalize("NFC", label)).casefold())


def _speaks_of_a_side(words: list[str]) -> bool:
    kept = NOT_SIDES.sub(" ", " ".join(words)).split()
    return any(word in SIDES or JOINED.fullmatch(word) or any(sign in word for sign in SIGNS) for word in kept)


def _twins(words: list[str]) -> Iterator[tuple[str, ...]]:
    """Names that differ in one side: of whole words, or of left and right within a word."""
    for place, word in enumerate(words):
        others = [right for left, right in WITH_TWIN if word == left]
        others += [word.replace("left", "right")] * ("left" in word)
        for other in others:
            yield (*words[:place], other, *words[place + 1 :])


def _is_character(label: str, words: list[str]) -> bool:
    """Whether a class is a letter or a number."""
    if len(label) == 1 and label.isalnum():
        return True
    match words:
        case [word]:
            return word.isdecimal() or word in NUMBERS
        case [called, word, *_] if called in CALLED:
            return len(word) == 1 or word.isdecimal() or word in NUMBERS
        case [untold, word]:
            return untold in UNTOLD and word.isdecimal()
    return False
