"""Bytes to pixels to a network's input: one code for audit, training, export and serving. No torch."""
