"""The solvers that can be chosen by name: a module for each, found by itself. `choose.SOLVERS` holds them."""
