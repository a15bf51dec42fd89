"""How revisions are written and applied."""
