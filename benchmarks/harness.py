"""Ways to do one thing, timed by turns so that what slows the machine down slows all; as a table or as JSON.

A benchmark is a file that asks one question. Its `measure(arguments)` yields results as they come: a `Comparison` of
times, or a `Table` of anything else. `main` prints each as a table, or with ``--json`` as one JSON object a line.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

Way = Callable[[], object]
Cell = str | int | float


@dataclass(frozen=True)
class Measured:
    """What a way gives back that took its own time: these seconds count, not those of starting a process around it."""

    seconds: float


@dataclass(frozen=True)
class Table:
    """Rows of cells below a title."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True)
class Timing:
    """One way: seconds a turn (median and quartiles), and how many times as fast it is as the first way.

    The ratio is the median over turns of the first way's seconds over this one's, so that more than 1 is faster.
    """

    name: str
    median: float
    low: float
    high: float
    ratio: float
    ratio_low: float
    ratio_high: float


@dataclass(frozen=True)
class Comparison:
    """Ways to do the same; `amount` is how many `unit` a turn handles, 0 where only the seconds matter."""

    title: str
    amount: int
    unit: str
    timings: tuple[Timing, ...]

    def table(self) -> Table:
        """As a person reads it."""
        rows = []
        for timing in self.timings:
            speed = f"{self.amount / timing.median:,.0f} {self.unit}/s" if self.amount else _seconds(timing.median)
            rows.append((timing.name, speed, *(_ratio(timing) if timing is not self.timings[0] else ("1.00 x", ""))))
        return Table(self.title, ("", "median", "ratio", "quartiles"), tuple(rows))


def compare(
    title: str, ways: Mapping[str, Way], amount: int = 0, unit: str = "", turns: int = 5, warm_up: bool = True
) -> Comparison:
    """Time all ways by turns; the one that begins changes from turn to turn."""
    if warm_up:
        for way in ways.values():
            way()
    took: dict[str, list[float]] = {name: [] for name in ways}
    names = list(ways)
    for turn in range(turns):
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            start = time.perf_counter()
            given = ways[name]()
            passed = time.perf_counter() - start
            took[name].append(given.seconds if isinstance(given, Measured) else passed)
    return Comparison(
        title, amount, unit, tuple(_timing(name, seconds, took[names[0]]) for name, seconds in took.items())
    )


def compare_for(title: str, ways: Mapping[str, Way], seconds: float, amount: int = 0, unit: str = "") -> Comparison:
    """As `compare`, with as many turns as some seconds hold, 15 at least: for what takes milliseconds."""
    for way in ways.values():
        way()
    start = time.perf_counter()
    for way in ways.values():
        way()
    turn = time.perf_counter() - start
    return compare(title, ways, amount, unit, max(15, round(seconds / max(turn, 1e-6))), warm_up=False)


def gathered(title: str, comparisons: Sequence[Comparison]) -> Table:
    """Comparisons of one way of theirs with one of ours, a row each."""
    rows = []
    for comparison in comparisons:
        theirs, ours = comparison.timings
        rows.append((comparison.title, _seconds(theirs.median), _seconds(ours.median), *_ratio(ours)))
    return Table(title, ("", "theirs", "ours", "ratio", "quartiles"), tuple(rows))


def main(
    document: str | None,
    measure: Callable[[argparse.Namespace], Iterator[Comparison | Table]],
    arguments: Sequence[tuple[str, dict[str, object]]] = (),
) -> None:
    """Run a benchmark as a command; `arguments` are for `ArgumentParser.add_argument`."""
    parser = argparse.ArgumentParser(description=document, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, options in arguments:
        parser.add_argument(name, **options)  # type: ignore[arg-type]
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    given = parser.parse_args()
    for result in measure(given):
        if given.json:
            print(json.dumps({"kind": type(result).__name__.lower(), **asdict(result)}), flush=True)
        else:
            print("\n" + rendered(result), flush=True)


def rendered(result: Comparison | Table) -> str:
    """A table in Markdown."""
    table = result.table() if isinstance(result, Comparison) else result
    rows = [[_text(cell) for cell in row] for row in table.rows]
    widths = [max(len(row[i]) for row in [list(table.columns), *rows]) for i in range(len(table.columns))]
    lines = [table.columns, ["-" * widths[0], *(f"{'-' * (width - 1)}:" for width in widths[1:])], *rows]
    return "\n".join(
        [
            table.title,
            "",
            *(
                "| "
                + " | ".join(_padded(cell, width, i) for i, (cell, width) in enumerate(zip(line, widths, strict=True)))
                + " |"
                for line in lines
            ),
        ]
    )


def read(line: str) -> Comparison | Table:
    """Read a line that ``--json`` printed."""
    value = json.loads(line)
    if value.pop("kind") == "comparison":
        return Comparison(**{**value, "timings": tuple(Timing(**timing) for timing in value["timings"])})
    return Table(value["title"], tuple(value["columns"]), tuple(tuple(row) for row in value["rows"]))


def missing(package: str, what: str) -> None:
    """Say that a peer is not installed and is left out."""
    print(f"{package} is not installed, and {what} is left out: pip install -e '.[bench]'", file=sys.stderr, flush=True)


def _timing(name: str, seconds: list[float], first: list[float]) -> Timing:
    ratios = [one / other for one, other in zip(first, seconds, strict=True)]
    low, median, high = _quartiles(seconds)
    ratio_low, ratio, ratio_high = _quartiles(ratios)
    return Timing(name, median, low, high, ratio, ratio_low, ratio_high)


def _quartiles(values: list[float]) -> tuple[float, float, float]:
    if len(values) == 1:
        return values[0], values[0], values[0]
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, median, high


def _ratio(timing: Timing) -> tuple[str, str]:
    """The ratio and its quartiles: a hundredth is enough, except where that is nothing."""
    median, low, high = (
        f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"
        for value in (timing.ratio, timing.ratio_low, timing.ratio_high)
    )
    return f"{median} x", f"[{low}, {high}]"


def _seconds(value: float) -> str:
    return f"{value:.2f} s" if value >= 1 else f"{1e3 * value:.1f} ms" if value >= 1e-3 else f"{1e6 * value:.0f} us"


def _text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else f"{cell:,}" if isinstance(cell, int) else f"{cell:,.4g}"


def _padded(cell: str, width: int, place: int) -> str:
    return cell.ljust(width) if place == 0 else cell.rjust(width)
