"""``linne lineage``: the story of the architectures, counted and measured."""

from __future__ import annotations

import math
import platform
import time
from os import PathLike
from pathlib import Path

import torch

from linne.nets.build import build
from linne.nets.catalogue import CATALOGUE, entry
from linne.nets.catalogue.papers import PAPERS
from linne.nets.claims import Claim, check_claims
from linne.nets.find import best_weights
from linne.nets.weights.published import published
from linne.records.errors import WriteError
from linne.records.lineage import Chapter, Lineage, Variant
from linne.records.progress import Progress, Silent
from linne.report.lineage import is_lineage, render_lineage

USUAL_GMACS = 4.1
"""ResNet-50's: of each paper the variant nearest to it is the example, so that latencies can be compared."""

MEASURED_SECONDS = 1.0
FEWEST_RUNS = 3


def lineage(latency: bool = True, progress: Progress | None = None) -> Lineage:
    """Tell the story of the catalogue, oldest paper first.

    Parameters
    ----------
    latency : bool
        Measure one network of each paper on this machine, about a minute in all.
    progress : Progress, optional

    Returns
    -------
    Lineage
        Parameters and multiply-adds are the catalogue's, which the tests count; accuracy is what was published.
    """
    progress = progress or Silent()
    groups = {key: [name for name, row in CATALOGUE.items() if row.paper == key] for key in PAPERS}
    examples = {key: min(names, key=_distance) for key, names in groups.items()}
    milliseconds = _measure(list(examples.values()), progress) if latency else {}
    chapters = []
    for key, paper in PAPERS.items():
        variants = tuple(_variant(name, milliseconds.get(name)) for name in groups[key])
        example = next(variant for variant in variants if variant.name == examples[key])
        chapters.append(
            Chapter(key, paper.name, paper.year, paper.title, paper.arxiv, paper.idea, paper.changed, example, variants)
        )
    return Lineage(tuple(sorted(chapters, key=lambda chapter: chapter.year)), _machine() if latency else "")


def claims() -> list[Claim]:
    """Recompute what is said of the architectures."""
    return check_claims()


def write_lineage(story: Lineage, found: list[Claim], out: str | PathLike[str]) -> Path:
    """Write one self-contained HTML page; `WriteError` if something else lies there."""
    return render_lineage(story, [claim.to_json() for claim in found], place_of_page(out))


def place_of_page(out: str | PathLike[str]) -> Path:
    """Give the place where a page is to be written; `WriteError` if it is no page's, or something else lies there."""
    path = Path(out)
    if path.suffix.lower() not in (".html", ".htm"):
        raise WriteError("is no name of an HTML page", file=path, remedy="end it in .html")
    if path.exists() and not is_lineage(path):
        problem = "holds something else than the lineage, and is left as it is"
        raise WriteError(problem, file=path, remedy="choose another --out")
    return path


def _distance(name: str) -> tuple[bool, float]:
    """Variants with published weights come first."""
    return not published(name), abs(math.log(entry(name).gmacs / USUAL_GMACS))


def _variant(name: str, milliseconds: float | None) -> Variant:
    row, best = entry(name), best_weights(name)
    top1 = None if best is None or best.classes != 1000 else best.top1
    return Variant(
        name,
        row.parameters,
        row.gmacs,
        row.pixels.height,
        top1,
        "no weights" if best is None else best.licence,
        milliseconds,
        None if best is None or top1 is None else best.pixels.height,
    )


@torch.inference_mode()
def _measure(names: list[str], progress: Progress) -> dict[str, float]:
    """Milliseconds for one image in plain PyTorch, after two runs to warm up.

    Of several runs the quickest: what makes the others slower is what else the machine does.
    """
    found = {}
    progress.start("measure", len(names), "networks")
    for done, name in enumerate(names, 1):
        row = entry(name)
        network = build(row, row.classes, row.pixels.channels).eval()
        image = torch.randn(1, row.pixels.channels, row.pixels.height, row.pixels.width)
        network(image)
        network(image)
        seconds: list[float] = []
        while len(seconds) < FEWEST_RUNS or sum(seconds) < MEASURED_SECONDS:
            start = time.perf_counter()
            network(image)
            seconds.append(time.perf_counter() - start)
        found[name] = 1000 * min(seconds)
        progress.update(done, f"{name} {found[name]:.1f} ms")
    progress.finish()
    return found


def _machine() -> str:
    return f"{platform.machine()}, {torch.get_num_threads()} threads, PyTorch {torch.__version__}, one image, float32"
