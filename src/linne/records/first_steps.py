"""What to do first about a data set, by what is expected to come of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FirstStep:
    """One thing to do about the findings of one check.

    Attributes
    ----------
    check : str
    findings : int
        How many there are to look at.
    gain : float
        In [0, 1]: the share of the images that are expected to count for more when it is done (docs/rooms/audit.md).
    reason : str
        How the gain is reckoned, in one sentence.
    remedy : str
        What to do.
    """

    check: str
    findings: int
    gain: float
    reason: str
    remedy: str

    def __str__(self) -> str:
        """One line for a person."""
        return f"{self.check} ({self.findings:,}, gain {self.percent}): {self.remedy}"

    @property
    def percent(self) -> str:
        """The gain for a person; what is less than a tenth of a percent is called so."""
        return "< 0.1%" if self.gain < 0.001 else f"{self.gain:.1%}"
