"""``linne audit``: what is wrong with the data, nothing touched."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from linne.embed.embedding import embed, pick
from linne.index.columns import Columns
from linne.records.errors import LinneError, WriteError
from linne.records.findings import Findings
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
        Where to keep the findings as Parquet, with a report beside them (`report_of`).
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
    material = gather(Path(photos), columns, weights, network, seed, progress, labelled=False)
    store = Path(cache) if cache is not None else user_cache()
    if out is not None:
        _refuse_to_overwrite(Path(out))
    backend = None
    if material.backbone is not None:
        inputs = material.sample.inputs(material.choice.pixels)
        backend = pick(material.backbone, len(material.index), store, None, inputs)
    embedding = embed(material.index, material.backbone, store, progress, backend=backend)
    findings = inspect(material.index, embedding, seed, store, progress).findings
    if out is not None:
        findings.write(Path(out))
        _report(Path(out), material, network, findings)
    return findings


def report_of(out: Path) -> Path:
    """Where the report of an audit lies."""
    return out.with_name(f"{out.stem}-report.html")


def _report(out: Path, material: Material, network: str | None, findings: Findings) -> None:
    """Write the report; what the network will see is told where the user has chosen one."""
    chosen = material.choice.pretrained or network is not None
    write_audit_report(report_of(out), material.index, findings, material.choice.pixels if chosen else None)


def _refuse_to_overwrite(out: Path) -> None:
    """Raise where something lies at `out` that is no findings: it may be one of the user's photos."""
    if not out.exists() and out.name and not report_of(out).exists():
        return
    try:
        Findings.read(out)
    except LinneError as error:
        raise WriteError(
            "holds something else than findings, and is left as it is", file=out, remedy="choose another --out"
        ) from error
