"""Other projects' state dicts to ours: one file a project, one table a family."""
