"""Other projects' state dicts to ours: one file a family, one table a project."""
