"""Readers: a folder becomes an `Index`."""
