"""The audit's part of a report, of a run's or of its own: records as the plain values that the templates lay out."""

from __future__ import annotations

from typing import Any

from linne.records.findings import Findings
from linne.records.index import Index
from linne.records.pixel_spec import PixelSpec
from linne.report.cases import checks
from linne.report.class_balance import MOST_CLASSES, class_balance
from linne.report.in_words import pixels_in_words
from linne.report.seen import seen_images
from linne.report.surveyed import classes_chart, in_a_line, shapes_chart, sides_chart
from linne.report.thumbnails import Album

SET_ASIDE = 12


def audited(index: Index, findings: Findings, album: Album, pixels: PixelSpec | None) -> dict[str, Any]:
    """Give what both reports say of the data, but for the classes' balance.

    Parameters
    ----------
    index : Index
    findings : Findings
    album : Album
    pixels : PixelSpec or None
        What a network makes of each image, where one was chosen.
    """
    survey = findings.survey
    drawn = survey is not None and survey.images > 0
    return {
        "index": index,
        "findings": findings,
        "checks": checks(findings, index, album),
        "set_aside": index.set_aside[:SET_ASIDE],
        "classes_chart": classes_chart(index.counts()) if len(index.labels) > MOST_CLASSES else None,
        "survey": in_a_line(survey) if survey is not None else "",
        "shapes": shapes_chart(survey) if survey is not None and drawn else None,
        "sides": sides_chart(survey, pixels) if survey is not None and drawn else None,
        "seen": seen_images(index, survey.examples, pixels) if survey is not None and pixels is not None else (),
        "pixels": pixels_in_words(pixels) if pixels is not None else "",
    }


def audit_content_of(index: Index, findings: Findings, pixels: PixelSpec | None) -> dict[str, Any]:
    """Give what the report of an audit needs."""
    subset = index.subset if index.supplied_split else None
    return {
        "name": index.name or "photos",
        "balance": class_balance(index, subset, "in none"),
        **audited(index, findings, Album(index), pixels),
    }
