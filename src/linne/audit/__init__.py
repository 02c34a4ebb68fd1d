"""One file a question about the data. Pure functions over hashes, embeddings and probabilities; no network in here."""
