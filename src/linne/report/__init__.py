"""One self-contained HTML file from a run's records: drawing apart from computing."""
