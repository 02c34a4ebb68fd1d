"""``python -m linne``."""

from linne.cli import script

script()
