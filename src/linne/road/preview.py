"""``linne preview``: what training would see of some photos, on one sheet."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from linne.fit.augment import get_ready, random_view
from linne.fit.decoded import Pictures
from linne.fit.draw import rng_of
from linne.fit.mixing import Mix, mix_of
from linne.fit.policy import Policy
from linne.fit.sampling import shuffled
from linne.index.columns import Columns
from linne.index.photos import read_photos_or_images
from linne.pixels.decode import decode
from linne.pixels.prepare import pixels_of
from linne.records.errors import DataError, ImageError, LinneError, WriteError, printable
from linne.records.index import NONE, TRAIN, Index
from linne.records.pixel_spec import PixelSpec
from linne.records.progress import Progress, Silent
from linne.records.recipe import Augment, checked
from linne.report.contact_sheet import Part, Row, draw_sheet, sheet_format, write_sheet
from linne.road.look import as_seed, gather
from linne.road.outlook import Asked
from linne.road.variation import Variation, variation_asked, variation_planned

PathName = str | PathLike[str]

MOST_IMAGES, MOST_VIEWS = 100, 20
MIXED_BATCHES = 4
"""Rows of mixed images; one of them is a batch."""


@dataclass(frozen=True)
class Preview:
    """What a sheet shows.

    Attributes
    ----------
    file : Path
    network : str
    augment : str
    pixels : PixelSpec
        Of validation.
    policy : Policy
    mirroring : str
        Whether images are mirrored, and why.
    images : tuple of (path, class)
        One a row; classes are empty where images have none.
    left_out : dict of str to str
        Paths of images that could not be read, and why.
    mixes : tuple of Mix
        One a row of mixed images.
    """

    file: Path
    network: str
    augment: Augment
    pixels: PixelSpec
    policy: Policy
    mirroring: str
    images: tuple[tuple[str, str], ...]
    left_out: dict[str, str]
    mixes: tuple[Mix, ...]

    def to_json(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "file": str(self.file),
            "network": self.network,
            "augment": self.augment,
            "pixels": self.pixels.to_json(),
            "policy": {**asdict(self.policy), "in_words": self.policy.in_words(self.pixels)},
            "mirroring": self.mirroring,
            "images": [{"path": path, "class": label} for path, label in self.images],
            "left_out": self.left_out,
            "mixes": [asdict(mix) for mix in self.mixes],
        }


@dataclass(frozen=True)
class _Seen:
    """One image: as validation sees it, and its view of each epoch: ``(channels, height, width)`` uint8 each."""

    row: int
    validated: NDArray[np.uint8]
    views: list[NDArray[np.uint8]]


def preview(
    photos: PathName,
    *,
    out: PathName = "preview.png",
    columns: Columns | None = None,
    weights: PathName | None = None,
    network: str | None = None,
    augment: Augment = "light",
    mix: bool = False,
    flip: bool | None = None,
    plan: PathName | None = None,
    images: int = 8,
    views: int = 6,
    seed: int = 0,
    progress: Progress | None = None,
) -> Preview:
    """Draw what training sees of images: the same code, policy and seed. Nothing is trained.

    Parameters
    ----------
    photos : path
        As for `linne.fit`; a folder needs no classes.
    out : path
        Of the sheet: ``.png``, with exact pixels, or ``.jpg``. Only an earlier sheet is written over.
    columns : Columns, optional
        Of a table.
    weights, network
        As for `linne.fit`: they decide how large the network's input is.
    augment : {'none', 'light', 'trivial', 'rand', 'augmix'}
    mix : bool
        Show batches mixed by MixUp and CutMix, too.
    flip : bool, optional
        Whether a mirrored image keeps its label; by default told from the names of classes.
    plan : path, optional
        ``plan.json`` of a run: what its training sees. What else is given of training is ignored, the seed too.
    images, views : int
        Rows, at most 100, and views of each image, at most 20: one an epoch, from the first that trains on images.
    seed : int
    progress : Progress, optional

    Returns
    -------
    Preview

    Raises
    ------
    LinneError
        The images or the weights cannot be used, or the sheet cannot be written.

    Notes
    -----
    Images are drawn by the seed: from the training images of the user's own subsets, where there are some, in the
    order of the first epoch if classes are drawn as they are; else from all, those too that a split would keep for
    validation or test. Without a plan, views have the size of validation and show the centre of photos: for
    pretrained weights `linne.fit` may measure that whole photos are better, may let the input grow, and has a smaller
    one where the budget holds no more. Training that keeps decoded pictures scales them down first, to about the
    input's size, so that its views may be a little softer. Batches are mixed among the images that are shown.

    Examples
    --------
    >>> import linne
    >>> linne.preview("photos", augment="trivial").policy  # doctest: +SKIP
    """
    progress, seed, augment = progress or Silent(), as_seed(seed), checked("augment", augment)
    for what, given, most in (("images", images, MOST_IMAGES), ("views", views, MOST_VIEWS)):
        if not 1 <= given <= most:
            raise LinneError(f"no such number of {what}", value=given, remedy=f"take 1 to {most}")
    file, source = Path(out), Path(photos)
    sheet_format(file)  # before anything takes time
    if source.is_dir() and source.resolve() in file.resolve().parents:
        raise WriteError("would lie among the photos, and become one", file=file, remedy="choose another --out")
    if plan is None:
        material = gather(source, columns, weights, network, seed, progress, labelled=False)
        index = material.index
        varied = variation_asked(material, Asked(seed, None, {}, flip), augment, mix, views)
    else:
        varied, index = variation_planned(Path(plan)), read_photos_or_images(source, columns)
    spec, first = varied.growth.spec, varied.growth.first
    epochs = range(first, first + min(views, varied.growth.epochs))
    get_ready(spec, varied.policy)
    seen, left_out = _look(index, varied, images, epochs)
    mixes = tuple(mix_of(varied.seed, epoch, 0) for epoch in epochs[:MIXED_BATCHES]) if varied.mix else ()
    parts = [_plain_part(index, seen, epochs)]
    if mixes:
        parts.append(_mixed_part(index, seen, mixes, epochs))
    title = f"What training sees of {printable(index.name)}"
    lines = [printable(line) for line in varied.in_words()]
    write_sheet(file, draw_sheet(title, lines, parts, (spec.height, spec.width)))
    shown = tuple((index.path(one.row), index.label_of(one.row)) for one in seen)
    return Preview(file, varied.network, varied.augment, spec, varied.policy, varied.mirroring, shown, left_out, mixes)


def _look(index: Index, varied: Variation, images: int, epochs: range) -> tuple[list[_Seen], dict[str, str]]:
    """Read images in the order of an epoch until there are enough; gives also which could not be read."""
    spec = varied.growth.spec
    rows = np.flatnonzero(index.subset == (TRAIN if index.supplied_split else NONE))
    pictures, seen, left_out = Pictures(index, spec.channels), [], {}
    for row in rows[shuffled(len(rows), len(rows), varied.seed, epochs[0])[0]].tolist() if len(rows) else []:
        try:
            content = index.content(row)
            validated = pixels_of(decode(content.read(), spec.channels, content.name), spec)
            made = []
            for epoch in epochs:
                size = varied.growth.at(epoch)
                out = torch.empty(1, size.height, size.width, size.channels, dtype=torch.uint8).permute(0, 3, 1, 2)
                random_view(pictures.of(row), size, varied.policy, rng_of(varied.seed, epoch, row), out)
                made.append(out[0].numpy())
            seen.append(_Seen(row, validated, made))
        except ImageError as error:
            left_out[index.path(row)] = str(error)
        if len(seen) == images:
            break
    if not seen:
        raise DataError(
            "no training image can be read",
            file=index.root,
            value=next(iter(left_out.values()), None),
            remedy="fetch them anew, or give the folder that has the images",
        )
    return seen, left_out


def _plain_part(index: Index, seen: list[_Seen], epochs: range) -> Part:
    columns = ("in validation", *(f"epoch {epoch}" for epoch in epochs))
    rows = [Row(_caption(index, one.row), (one.validated, *one.views)) for one in seen]
    return Part("Views", columns, rows)


def _caption(index: Index, row: int) -> str:
    """Class and path; the path alone where it says the class."""
    path, label = index.path(row), index.label_of(row)
    return printable(path if not label or label in path.split("/")[:-1] else f"{label}: {path}")


def _mixed_part(index: Index, seen: list[_Seen], mixes: tuple[Mix, ...], epochs: range) -> Part:
    rows, columns = [], len(epochs) + 1
    for number, mix in enumerate(mixes):
        batch = torch.from_numpy(np.stack([one.views[number] for one in seen])).float()
        mixed, own = mix.images(batch, batch.roll(1, 0))
        kind = "MixUp, one laid over the other" if mix.box is None else "CutMix, a rectangle of the other"
        labels = [
            tuple(
                f"{share:.0%} {printable(index.label_of(row))}"
                for share, row in ((own, one.row), (1 - own, seen[place - 1].row))
            )
            for place, one in enumerate(seen[:columns])
        ]
        rows.append(Row(f"epoch {epochs[number]}: {kind}", _whole(mixed[:columns]), labels))
    return Part("Batches, each image mixed with the one before it", (), rows)


def _whole(images: Tensor) -> list[NDArray[np.uint8]]:
    return list(images.round().to(torch.uint8).numpy())
