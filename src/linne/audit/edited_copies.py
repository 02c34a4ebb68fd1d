"""Which pictures were cropped, written on, framed or turned a little?

Their embeddings lie much closer together than those of different images do here, and one laid over a part of the other
agrees with it: in brightness, or, less close embeddings sufficing, in the fine structure that brightness hides.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from linne.audit.alignment import align, structure_likeness
from linne.audit.neighbours import Directions, close_pairs, nearest_of_some
from linne.audit.pairs import EDITED, Forest
from linne.audit.pictures import Pictures
from linne.records.progress import Progress

# Set on copies of photos of clothes that were cropped, written on, framed and brightened, and on all pairs of different
# ones (docs/rooms/audit.md). Distances are in the usual distance of nearest neighbours.
FARTHEST = 0.28
FARTHEST_BY_LIKENESS = (-0.6, 0.95)
"""Embeddings may be so far apart, and no farther than the first number plus the second x the aligned likeness."""

FARTHEST_IN_STRUCTURE = 0.62
FARTHEST_BY_STRUCTURE = (-1.23, 2.2)
"""The same, where it is fine structure that agrees; for the nearest neighbours only."""

WORTH_A_LOOK = 0.8
"""Aligned likeness below which fine structure is not compared."""

MOST_USUAL = 0.5
"""The usual distance counts as no more than this: among a few images that have nothing in common it says little."""

FEWEST = 10
"""Images, below which there is nothing usual."""

MOST_ALIKE = 0.45
"""Where nearest neighbours usually agree so well in fine structure, pictures hold too little for an edited copy to
stand out: for scanned digits that is 0.75, for photos of clothes 0.12."""

SCALE = 0.985
"""What the scores of such pairs reach, so that of two ways to know a pair the surer one is told."""


def keep_edited(
    forest: Forest, pictures: Pictures, directions: Directions, new: NDArray[np.int64], progress: Progress
) -> None:
    """Keep the pairs whose embeddings are so close that only one picture can have given both.

    Parameters
    ----------
    forest : Forest
        Of places in `directions`.
    pictures : Pictures
    directions : Directions
    new : (k,) int64 array
        Places of which one at least belongs to each pair.
    progress : Progress
    """
    rng = np.random.default_rng(0)
    usual = _usual_distance(pictures, directions, rng)
    if usual is None:
        return
    reach = (FARTHEST * usual, FARTHEST_IN_STRUCTURE * usual)
    for first, second, cosine in close_pairs(directions, *reach, new, rng, progress):
        apart = (1 - cosine) / usual
        one, two = directions.rows[first], directions.rows[second]
        alike, placement = align(pictures.thumb[one], pictures.thumb[two])
        kept = apart <= np.minimum(_line(FARTHEST_BY_LIKENESS, alike), FARTHEST)
        open_still = np.flatnonzero(~kept & (alike >= WORTH_A_LOOK))
        structure = structure_likeness(
            pictures.detail[one[open_still]], pictures.detail[two[open_still]], placement[open_still]
        )
        kept[open_still] = apart[open_still] <= _line(FARTHEST_BY_STRUCTURE, structure)
        score = SCALE * (cosine[kept] + alike[kept]) / 2
        forest.add(first[kept], second[kept], np.clip(score, 0, 1), EDITED)


def _usual_distance(pictures: Pictures, directions: Directions, rng: np.random.Generator) -> float | None:
    """Median of one minus the cosine of nearest neighbours; None where these say nothing of copies."""
    if len(directions) < FEWEST:
        return None
    places, nearest, cosine = nearest_of_some(directions, rng)
    one, two = directions.rows[places], directions.rows[nearest]
    _, placement = align(pictures.thumb[one], pictures.thumb[two])
    structure = structure_likeness(pictures.detail[one], pictures.detail[two], placement)
    usual = min(float(1 - np.median(cosine)), MOST_USUAL)
    return usual if usual > 0 and np.median(structure) < MOST_ALIKE else None


def _line(line: tuple[float, float], at: NDArray[np.float32]) -> NDArray[np.float32]:
    return line[0] + line[1] * at
