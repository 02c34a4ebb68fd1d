"""A bundle answers: from Python, from the command line and over HTTP. No torch."""
