"""Doses: regimens by the clock, adherence, repeating cycles, limits, and the events that they become."""
