"""How a network is trained: every number of one level, and which values each may have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from linne.records.errors import LinneError

Method = Literal["stages", "whole", "scratch"]
Precision = Literal["float32", "bfloat16", "float16"]
Automatic = Literal["trivial", "rand", "augmix"]
Augment = Literal["none", "light"] | Automatic
AUGMENTS: tuple[Augment, ...] = ("none", "light", "trivial", "rand", "augmix")
OptimiserName = Literal["adamw", "sgd", "muon"]
Schedule = Literal["cosine", "trapezoid"]
Balance = Literal["none", "sampling", "weights", "logits"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """One level of training.

    Attributes
    ----------
    method : {'stages', 'whole', 'scratch'}
        'stages': the last stages, on stored activations of the frozen ones. 'whole': every weight, from augmented
        images, starting from what the level before left. 'scratch': the same from a random start.
    frozen_stages : int
        Stages of the network that stay as they are.
    epochs : int
        Passes over the training images; 0 only while a plan is made, for a level that there is no time for.
    batch_size : int
        Images a step, all processes together.
    accumulation : int
        Parts that a batch is computed in, one after the other, for want of memory; its gradient is the same, unless
        batch norms are trained, as they are by 'scratch': these see a part at a time.
    precision : {'float32', 'bfloat16', 'float16'}
        Of products; weights and sums stay float32.
    lanes : int
        Parts of a batch that are computed side by side, each by a thread; its gradient is the same.
    channels_last : bool
        Whether images lie in memory pixel by pixel, with all channels of each, or channel by channel.
    optimiser : {'adamw', 'sgd', 'muon'}
    learning_rate : float
        Peak of the schedule.
    layer_decay : float
        Factor of the learning rate from each stage to the one before, in (0, 1].
    weight_decay : float
    schedule : {'cosine', 'trapezoid'}
    warm_up : float
        Share of all steps over which the learning rate rises.
    label_smoothing : float
    drop_path : float or None
        Rate of stochastic depth in the last block; None leaves the network's own.
    clip : float
        Largest norm of the gradient; 0 does not clip.
    average : float
        Share of all steps that the moving average of the weights reaches back over; 0 keeps none. Where there is
        one, it is what is validated and kept.
    augment : {'none', 'light', 'trivial', 'rand', 'augmix'}
        How images are varied.
    mix : bool
        Mix images of a batch, and their labels, by MixUp or CutMix.
    views : int
        Views of each image whose activations are stored, for 'stages': the image itself, its mirror image, and random
        ones.
    first_side, last_side : int or None
        Pixels of the input's shorter side in the first epoch, and in the last third; None is the network's own. Images
        are validated at that.
    balance : {'none', 'sampling', 'weights', 'logits'}
        Against imbalance: draw rare classes more often, weigh their losses more, or adjust the logits by the classes'
        shares.
    patience : int
        Epochs without a better validation after which training stops; 0 goes on to the end.
    teacher_share : float
        What a teacher's answers weigh in the loss; the labels have the rest.
    teacher_temperature : float or None
        By which both networks' logits are divided; None takes the teacher's answer as a label, as DeiT does.
    """

    method: Method
    frozen_stages: int = 0
    epochs: int = 1
    batch_size: int = 64
    accumulation: int = 1
    precision: Precision = "float32"
    lanes: int = 1
    channels_last: bool = True
    optimiser: OptimiserName = "adamw"
    learning_rate: float = 1e-3
    layer_decay: float = 1.0
    weight_decay: float = 0.05
    schedule: Schedule = "cosine"
    warm_up: float = 0.1
    label_smoothing: float = 0.1
    drop_path: float | None = None
    clip: float = 5.0
    average: float = 0.0
    augment: Augment = "light"
    mix: bool = False
    views: int = 1
    first_side: int | None = None
    last_side: int | None = None
    balance: Balance = "none"
    patience: int = 0
    teacher_share: float = 0.5
    teacher_temperature: float | None = 2.0

    def __post_init__(self) -> None:
        """Check every value; `LinneError` for one that has no meaning."""
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if value is not None and not low <= value <= high and (name, value) != ("epochs", 0):
                raise LinneError(f"{name} is out of range", value=value, remedy=f"give {low:g} to {high:g}")

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Recipe:
        """Read what `to_json` gave; `LinneError` where it is none."""
        if "method" not in value:
            raise LinneError("method is missing", remedy=f"give one of {', '.join(METHODS)}")
        return cls(**{name: checked(name, given) for name, given in value.items()})

    def unused(self, taught: bool) -> dict[str, Any]:
        """Settings that say something which the method knows nothing of, or that is for a teacher and there is none."""
        usual = {field.name: field.default for field in fields(self)}
        told = {name: getattr(self, name) for name in (*UNREAD[self.method], *(() if taught else TEACHERS))}
        return {name: value for name, value in told.items() if value != usual[name]}


METHODS: tuple[Method, ...] = get_args(Method)

TEACHERS = ("teacher_share", "teacher_temperature")

UNREAD: dict[Method, tuple[str, ...]] = {
    "stages": ("augment", "mix", "first_side", "last_side", *TEACHERS),
    "whole": ("frozen_stages", "views"),
    "scratch": ("frozen_stages", "views"),
}
"""What each method knows nothing of: stored activations are made once, and no teacher sees them."""

CHOICES: dict[str, tuple[str, ...]] = {
    "method": METHODS,
    "precision": get_args(Precision),
    "optimiser": get_args(OptimiserName),
    "schedule": get_args(Schedule),
    "augment": AUGMENTS,
    "balance": get_args(Balance),
}
"""What the settings that are words may be."""

RANGES: dict[str, tuple[float, float]] = {
    "frozen_stages": (0, 1000),
    "epochs": (1, 100_000),
    "batch_size": (1, 1_000_000),
    "accumulation": (1, 100_000),
    "lanes": (1, 1024),
    "learning_rate": (1e-12, 1e3),
    "layer_decay": (1e-3, 1.0),
    "weight_decay": (0.0, 10.0),
    "warm_up": (0.0, 0.9),
    "label_smoothing": (0.0, 0.9),
    "drop_path": (0.0, 0.9),
    "clip": (0.0, 1e6),
    "average": (0.0, 1.0),
    "views": (1, 100),
    "first_side": (16, 100_000),
    "last_side": (16, 100_000),
    "patience": (0, 100_000),
    "teacher_share": (0.0, 1.0),
    "teacher_temperature": (0.1, 100.0),
}
"""What the settings that are numbers may be, both ends included."""

_OPTIONAL = ("drop_path", "first_side", "last_side", "teacher_temperature")


def checked(name: str, value: Any) -> Any:
    """Give a setting's value in its own type, from text or from JSON.

    Raises
    ------
    LinneError
        There is no such setting, or it cannot be that.
    """
    known = {field.name: str(field.type) for field in fields(Recipe)}
    if name not in known:
        raise LinneError(f"no such setting: {name}", value=value, remedy=f"there are {', '.join(known)}")
    if name in CHOICES:
        if value not in CHOICES[name]:
            raise LinneError(f"{name} cannot be that", value=value, remedy=f"give one of {', '.join(CHOICES[name])}")
        return value
    if name in _OPTIONAL and value in (None, "none"):
        return None
    if known[name] == "bool":
        words = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
        flag = value if isinstance(value, bool) else words.get(str(value).lower())
        if flag is None:
            raise LinneError(f"{name} cannot be that", value=value, remedy="give true or false")
        return flag
    kind = int if "int" in known[name] else float
    try:
        number = kind(value)
        exact = number == float(value)
    except (TypeError, ValueError, OverflowError):
        exact = False
    if isinstance(value, bool) or not exact:
        raise LinneError(f"{name} is no number of that kind", value=value, remedy=f"give a number ({kind.__name__})")
    low, high = RANGES[name]
    if not low <= number <= high:
        raise LinneError(f"{name} is out of range", value=value, remedy=f"give {low:g} to {high:g}")
    return number
