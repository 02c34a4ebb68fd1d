"""Who races: networks of every generation from random weights, and those whose pretrained weights are at hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path

from linne.choose.network import SCRATCH_SIDE
from linne.choose.sample import Sample
from linne.nets.catalogue import entry
from linne.nets.catalogue.papers import PAPERS
from linne.nets.weights.fetch import local_path
from linne.nets.weights.published import IMAGENET, pick, published
from linne.nets.weights.recognise import read_weights
from linne.records.errors import LinneError, WeightsError
from linne.records.fingerprint import of_bytes
from linne.records.leaderboard import Start
from linne.records.pixel_spec import PixelSpec
from linne.records.progress import Progress

PathName = str | PathLike[str]

GENERATIONS = (
    "lenet5",
    "alexnet_2012",
    "vgg11_bn",
    "googlenet",
    "resnet18",
    "mobilenet_v2",
    "efficientnet_b0",
    "vit_tiny_16",
    "swin_tiny",
    "levit_128s",
    "convnext_tiny",
    "mobilenet_v4_conv_small",
)
"""A small network of each; VGG and GoogLeNet in the form of today, with batch norm."""

WEIGHTS = (".safetensors", ".pth", ".pt", ".bin")

SMALLEST_SIDE, STEP = 64, 32
"""AlexNet's pools leave nothing of less than 64 pixels, and strides of most networks multiply to 32."""


@dataclass(frozen=True, slots=True)
class Entrant:
    """A network and where it starts.

    Attributes
    ----------
    network : str
        Catalogue name.
    weights : str or None
        A file, or the name of published weights that are in the cache; None starts from random ones.
    digest : str
        Of the weights file; '' without one.
    """

    network: str
    weights: str | None = None
    digest: str = ""

    @property
    def name(self) -> str:
        """A folder's name that other weights would change."""
        return f"{self.network}-{self.digest[:8]}" if self.digest else self.network

    @property
    def start(self) -> Start:
        """From random weights or from pretrained ones."""
        return "pretrained" if self.weights else "scratch"

    @property
    def shown(self) -> str:
        """As the paper calls it."""
        return PAPERS[entry(self.network).paper].name

    @property
    def year(self) -> int:
        """Of the paper."""
        return entry(self.network).year


def entrants_of(
    networks: Sequence[str] | None, weights: Sequence[PathName], pretrained: bool, progress: Progress
) -> list[Entrant]:
    """List who races, oldest first, from random weights before pretrained ones.

    Parameters
    ----------
    networks : sequence of str or None
        Catalogue names; None is one of every generation.
    weights : sequence of path
        Files, and folders of files; of a folder those for `networks` take part, and of files all.
    pretrained : bool
        Published weights that are in the cache take part; none is fetched.
    progress : Progress

    Raises
    ------
    LinneError
        No such network, one that has no year, or a file that is no network's weights.
    """
    raced = list(dict.fromkeys(GENERATIONS if networks is None else networks))
    for name in raced:
        _refuse_without_a_year(name)
    started = [*_given(raced, weights, progress), *(_in_cache(raced) if pretrained else ())]
    if pretrained and not started:
        progress.say("race: no pretrained weights are at hand; `linne weights fetch NETWORK` gets some")
    once = {entrant.name: entrant for entrant in started}
    order = sorted([*map(Entrant, raced), *once.values()], key=lambda entrant: entrant.year)
    return sorted(order, key=lambda entrant: entrant.start == "pretrained")


def raced_at(pixels: PixelSpec, sample: Sample) -> PixelSpec:
    """Give the input of a network from random weights: `SCRATCH_SIDE`, less where the photos are smaller."""
    side = min(SCRATCH_SIDE, max(SMALLEST_SIDE, -(-sample.shorter_side // STEP) * STEP))
    if pixels.height <= side:
        return pixels
    return replace(pixels, height=side, width=side, resize=round(pixels.resize * side / pixels.height))


def _given(raced: Sequence[str], weights: Sequence[PathName], progress: Progress) -> list[Entrant]:
    found = []
    for given in map(Path, weights):
        if not given.is_dir():
            found.append(_of_file(given))
            continue
        files = sorted(path for path in given.iterdir() if path.suffix in WEIGHTS)
        if not files:
            raise WeightsError("holds no weights", file=given, remedy=f"give files that end in {', '.join(WEIGHTS)}")
        for path in files:
            try:
                entrant = _of_file(path)
            except LinneError as error:
                progress.say(f"race: left out: {error}")
                continue
            if entrant.network in raced:
                found.append(entrant)
    return found


def _refuse_without_a_year(network: str, path: Path | None = None) -> None:
    """Raise for networks of timm, and for names that are none."""
    if network.startswith("timm:"):
        remedy = "take one of `linne nets`"
        raise LinneError("is not of the lineage, and so has no year", file=path, value=network, remedy=remedy)
    entry(network)


def _of_file(path: Path) -> Entrant:
    network = read_weights(path).network
    _refuse_without_a_year(network, path)
    return Entrant(network, str(path.absolute()), of_bytes(path.read_bytes()).hex())


def _in_cache(raced: Sequence[str]) -> list[Entrant]:
    """The best published weights of each network among those that lie in the cache."""
    found = []
    for network in raced:
        here = [row for row in published(network) if local_path(row).is_file() and pick(network, row.tag) == row]
        best = max(here, key=lambda row: (row.may_be_shipped, row.classes == 1000, row.top1 or 0.0), default=None)
        if best is not None:
            digest = of_bytes(local_path(best).read_bytes()).hex()
            found.append(Entrant(network, f"{IMAGENET}:{best.tag}", digest))
    return found
