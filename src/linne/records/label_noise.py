"""How many labels are wrong, and between which classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class NoisyPair:
    """Images of one class that are filed under another: about so many, with a 95% interval."""

    given: str
    likely: str
    images: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class LabelNoise:
    """Estimate of the share of wrong labels.

    Attributes
    ----------
    judged : int
        Images that were looked at: readable, and of classes with enough of them.
    share, low, high : float
        In [0, 1], with a 95% interval: what another sample of such images could give. What the classifier itself gets
        wrong is in all three.
    pairs : tuple of NoisyPair
        Between which classes, the most images first.
    """

    judged: int
    share: float
    low: float
    high: float
    pairs: tuple[NoisyPair, ...]

    def __str__(self) -> str:
        """One line for a person."""
        line = f"about {self.share:.1%} of the labels look wrong (95% interval {self.low:.1%} to {self.high:.1%})"
        most = [f"{pair.likely} filed under {pair.given} ({pair.images:.0f})" for pair in self.pairs[:3]]
        return f"{line}; mostly {', '.join(most)}" if most else line

    @classmethod
    def of_facts(cls, facts: dict[str, Any]) -> LabelNoise:
        """From what `dataclasses.asdict` gave."""
        return cls(**{**facts, "pairs": tuple(NoisyPair(**pair) for pair in facts["pairs"])})
