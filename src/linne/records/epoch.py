"""What an epoch of training gave."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Epoch:
    """One line of ``history.jsonl``; epoch 0 is the start.

    `level` counts from 0, `epoch` goes on from level to level. `loss` is the mean training loss, `accuracy` and
    `log_loss` are on the validation images that could be read then, `seconds` are since the run began, `rate` is
    training images a second, `learning_rate` that of the last step, `waited` the share of time in which there was
    nothing to train on yet. `average_precision`, the mean over classes, is known of several labels an image only;
    `accuracy` is then the share of images of which every label is right. What is not finite is null in the file.
    """

    level: int
    epoch: int
    loss: float | None
    accuracy: float
    log_loss: float
    seconds: float
    rate: float | None
    learning_rate: float | None = None
    waited: float | None = None
    average_precision: float | None = None

    @property
    def ranked_by(self) -> str:
        """What epochs are compared by, before log loss."""
        return "accuracy" if self.average_precision is None else "mean average precision"

    @property
    def rank(self) -> tuple[float, float]:
        """Higher is better."""
        return self.accuracy if self.average_precision is None else self.average_precision, -self.log_loss
