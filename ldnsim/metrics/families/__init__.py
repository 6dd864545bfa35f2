"""Metrics by family; a module here registers its own, and is found by itself."""
