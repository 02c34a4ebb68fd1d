"""``linne embed``: the features of images, for other programs."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import torch

from linne.choose.network import choose
from linne.choose.sample import take_sample
from linne.embed.backbone import backbone
from linne.embed.embedding import shelf_of
from linne.embed.features_file import features_file
from linne.embed.layer import POOLED, layer_of
from linne.embed.measure import pick_backend
from linne.embed.one_pass import Passed, one_pass
from linne.embed.views import over_views
from linne.index.columns import Columns
from linne.index.photos import read_images
from linne.nets.weights.published import IMAGENET
from linne.records.places import user_cache
from linne.records.progress import Progress, Silent
from linne.road.weights import locate_with_bar

PathName = str | PathLike[str]


def embed(
    photos: PathName,
    *,
    network: str,
    out: PathName,
    weights: PathName = IMAGENET,
    layer: str = POOLED,
    views: int = 1,
    columns: Columns | None = None,
    cache: PathName | None = None,
    progress: Progress | None = None,
) -> Passed:
    """Write what a layer of a network gives for each image.

    Parameters
    ----------
    photos : path
        As for `linne.fit`; a folder needs no classes.
    network : str
        A name of `linne.nets.names()`, or "timm:NAME".
    out : path
        ``.parquet``: one row an image with its path, class and features. ``.npy``: the features alone, and a ``.csv``
        beside it with path and class of each row.
    weights : path or str, optional
        A file, 'imagenet' or a tag of the network's published weights.
    layer : str, optional
        'pooled' for the vector before the classifier, or a name of `torch.nn.Module.named_modules`; what the layer
        gives is flattened.
    views : {1, 2, 10}
        Average over the centre and its mirror image (2), or over four corners, the centre and their mirror images
        (10), which takes 2 or 10 times as long.
    columns : Columns, optional
        Of a table.
    cache : path, optional
        The store of embeddings; by default in the user's cache folder.
    progress : Progress, optional

    Returns
    -------
    Passed
        Images that could not be read have a reason there, and no row in the file.

    Raises
    ------
    LinneError
        The images, the weights or the layer cannot be used, or the file cannot be written.

    Examples
    --------
    >>> import linne
    >>> linne.embed("photos", network="vgg16", layer="head.fc6", out="fc6.parquet")  # doctest: +SKIP
    """
    progress = progress or Silent()
    store = Path(cache) if cache is not None else user_cache()
    file = features_file(Path(out))  # before anything takes time
    index = read_images(Path(photos), columns)
    located = locate_with_bar(weights, network, progress)
    sample = take_sample(index)
    choice = choose(sample, len(index.labels), located, network, 0)
    module, pixels = over_views(layer_of(choice.network, layer), choice.pixels, views)
    with torch.inference_mode():  # a layer that gives no tensor is told of now
        module(torch.zeros(1, pixels.channels, pixels.height, pixels.width))
    frozen, what = backbone(choice.network, pixels), layer if views == 1 else f"{layer}, {views} views"
    shelf, inputs = shelf_of(frozen, what, store), sample.inputs(pixels)
    new = sum(digest not in shelf for digest in sample.digests) / max(len(sample.digests), 1)
    memory = store / "backends.json"
    backend = pick_backend(module, pixels, frozen.shelf(what), round(new * len(index)), memory, inputs)
    passed = one_pass(index, None, [shelf], pixels, backend, progress)
    file.write(index, passed, shelf)
    return passed
