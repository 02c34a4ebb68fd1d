"""The steps joined, for the Python API and the command line alike: the only place that sees the whole flow."""
