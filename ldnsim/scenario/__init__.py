"""Scenarios: one question each, with its population, uncertainty and design, and the changes applied to it."""
