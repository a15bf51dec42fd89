"""Measures what generated services take, beside reference services that do the same work."""
