"""Write and apply revisions."""
