"""``python -m linne``."""

from linne.cli import main

main()
