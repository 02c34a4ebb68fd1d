"""Which network, and how it wants its pixels: decided by evidence, with the reasons."""
