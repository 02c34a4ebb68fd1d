"""What images ask of a classifier: one label each, or any number of them."""

from __future__ import annotations

from typing import Literal

Task = Literal["single", "multi"]
