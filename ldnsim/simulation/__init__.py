"""A scenario to a dataset: solving, sampling, steady-state starts, people, results and their provenance."""
