"""Does a mirrored image keep its label?"""

from __future__ import annotations

import re

_SIDES = re.compile(r"(^|[^a-z])(left|right|west|east|clockwise|counterclockwise|anticlockwise)([^a-z]|$)")
_INNER_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def mirrored_keeps_label(labels: tuple[str, ...]) -> tuple[bool, str]:
    """Decide from the class names, with a sentence of reason.

    Mirroring is off where names speak of sides ("left", "turn-right", "turnLeft"), where all are single letters or
    digits (a mirrored 2 is no 2), and where all are numbers, which do not tell what they stand for.
    """
    sided = [label for label in labels if _SIDES.search(_INNER_CAPITAL.sub(" ", label).lower())]
    if sided:
        return False, f"no mirroring: the class {sided[0]} speaks of a side"
    if all(label.isdecimal() or (len(label) == 1 and label.isalnum()) for label in labels):
        return False, "no mirroring: the classes are numbers or letters"
    return True, "mirroring: no class name speaks of a side"
