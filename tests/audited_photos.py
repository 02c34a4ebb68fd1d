"""An audited folder with every kind of finding, made in milliseconds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from images import encode, place, scene, turned

from linne.records.audited import Audited
from linne.records.digests import write_digests
from linne.records.findings import Finding, Findings
from linne.records.fingerprint import of_bytes
from linne.records.index import Index

OWNER = "anna"

FOUND = (
    Finding("unreadable", "train/owl/3.jpg", 1.0, "is damaged", label="owl", remedy="replace or remove it"),
    Finding("unreadable", "train/cat/sub\u00fcber.png", 1.0, "its name is not UTF-8", remedy="replace or remove it"),
    Finding("exact duplicate", "train/cat/1.jpg", 1.0, "the same bytes", "train/cat/0.jpg", label="cat"),
    Finding("near duplicate", "train/cat/2.jpg", 0.99, "the same picture", "train/cat/1.jpg", label="cat"),
    Finding("near duplicate", "train/owl/1.jpg", 0.97, "under two labels", "train/dog/1.jpg", label="owl"),
    Finding("leak", "train/dog/0.jpg", 0.98, "a copy in test", "test/dog/0.jpg", label="dog"),
    Finding("label doubt", "train/cat/3.jpg", 0.95, "looks like dog", label="cat", suggestion="dog"),
    Finding("label doubt", "test/dog/1.jpg", 0.9, "looks like cat", label="dog", suggestion="cat"),
    Finding("label doubt", "train/owl/0.jpg", 0.8, "looks like dog", label="owl", suggestion="dog"),
    Finding("dark", "train/cat/3.jpg", 0.7, "is dark", label="cat"),
    Finding("classes alike", "", 0.6, "owl and dog are hard to tell apart", label="owl", suggestion="dog"),
    Finding("imbalance", "", 0.5, "few owls", label="owl"),
)
"""Of an audit that also knows checks which this linne does not."""

UNREADABLE, ASIDE, COPIES, TWO_LABELS, LEAK, DOUBT, TEST_DOUBT, OWL_DOUBT, DARK, ALIKE, IMBALANCE = range(11)
"""Numbers of the cases."""


def write_photos(root: Path) -> Path:
    seed = 0
    for subset, name, count in (
        ("train", "cat", 6),
        ("train", "dog", 5),
        ("train", "owl", 5),
        ("test", "cat", 2),
        ("test", "dog", 2),
        ("test", "owl", 2),
    ):
        for number in range(count):
            place(root / subset / name / f"{number}.jpg", encode(scene(60, 80, seed), "JPEG"))
            seed += 1
    (root / "train/cat/1.jpg").write_bytes((root / "train/cat/0.jpg").read_bytes())
    (root / "train/owl/3.jpg").write_bytes((root / "train/owl/3.jpg").read_bytes()[:400])
    (root / "train/dog/4.jpg").write_bytes(turned(scene(40, 80, 99), 6, "JPEG"))
    return root


def write_audit(folder: Path, index: Index, found: tuple[Finding, ...] = FOUND) -> Path:
    audited = Audited(folder)
    digests = [of_bytes(index.content(row).read()) for row in range(len(index))]
    index.write(audited.index)
    write_digests(audited.digests, np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 16), index.fingerprint)
    Findings.of(found, index.fingerprint, ["a check was not made"]).write(audited.findings)
    return folder
