"""``linne audit``: what is wrong with the data, nothing touched."""

from __future__ import annotations

from dataclasses import replace
from os import PathLike
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from linne.embed.embedding import embed, pick
from linne.index.columns import Columns
from linne.records.audited import Audited, refuse_other_folder
from linne.records.digests import write_digests
from linne.records.findings import Findings
from linne.records.fingerprint import of_arrays
from linne.records.places import user_cache
from linne.records.progress import Progress, Silent
from linne.report.write import write_audit_report
from linne.road.inspection import inspect
from linne.road.look import Material, as_seed, gather

PathName = str | PathLike[str]


def audit(
    photos: PathName,
    *,
    columns: Columns | None = None,
    weights: PathName | None = None,
    network: str | None = None,
    cache: PathName | None = None,
    out: PathName | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Findings:
    """Look for what is wrong with a folder of images.

    Parameters
    ----------
    photos : path
        Class folders, or train, validation and test with class folders in each; a folder of images without classes;
        a CSV or Parquet table, a zip, tar shards, or a Hugging Face data set on disk.
    columns : Columns, optional
        Which columns of a table to read; by default they are found by their usual names.
    weights : path or str, optional
        Pretrained weights: a file, or with `network` 'imagenet' or a tag of its published ones. Without them
        labels are judged by thumbnails, where these suffice.
    network : str, optional
        A name of `linne.nets.names()`; by default that of the weights.
    cache : path, optional
        The store of embeddings; by default in the user's cache folder.
    out : path, optional
        A folder for index, findings and report, which `linne review` takes. An older audit in it is replaced, and its
        decisions stay.
    seed : int
    progress : Progress, optional

    Returns
    -------
    Findings

    Raises
    ------
    LinneError
        The folder or the weights cannot be used.

    Examples
    --------
    >>> import linne
    >>> linne.audit("photos").counts()  # doctest: +SKIP
    {'exact duplicate': 2, 'label doubt': 31}
    """
    seed = as_seed(seed)
    progress = progress or Silent()
    if out is not None:
        refuse_other_folder(Path(out))
    material = gather(Path(photos), columns, weights, network, seed, progress, labelled=False)
    store = Path(cache) if cache is not None else user_cache()
    if out is not None:
        refuse_other_folder(Path(out), material.index)
    backend = None
    if material.backbone is not None:
        inputs = material.sample.inputs(material.choice.pixels)
        backend = pick(material.backbone, len(material.index), store, None, inputs)
    embedding = embed(material.index, material.backbone, store, progress, backend=backend)
    digest = embedding.passed.digest
    findings = replace(inspect(material.index, embedding, seed, store, progress).findings, digests=of_arrays(digest))
    if out is not None:
        _write(Audited(Path(out)), material, network, digest, findings)
    return findings


def _write(
    audited: Audited, material: Material, network: str | None, digest: NDArray[np.uint8], findings: Findings
) -> None:
    """Replace an older audit.

    Each file names its index, and the findings the bytes of the images, too: what a kill in between leaves is either
    an audit or refused. A report names nothing, so an older one goes before new findings come.
    """
    index = material.index
    index.write(audited.index)
    write_digests(audited.digests, digest, index.fingerprint)
    audited.report.unlink(missing_ok=True)
    findings.write(audited.findings)
    # What the network will see is told where the user has chosen one.
    chosen = material.choice.pretrained or network is not None
    write_audit_report(audited.report, index, findings, material.choice.pixels if chosen else None)
