"""A person decides on findings: the page, its server, and the rules for what may be decided."""
