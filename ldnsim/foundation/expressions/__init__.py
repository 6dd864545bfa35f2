"""Equations as text -> a tree of names, numbers and known operations, and the dimensions of every term.

This is the only door between file text and anything that runs. The grammar is read by a parser of our own (`reading`):
what it does not know does not exist further in, and no file text ever reaches Python's.
"""

from __future__ import annotations

from ldnsim.foundation.expressions.dimensions import infer
from ldnsim.foundation.expressions.reading import parse_equations, read_equations
from ldnsim.foundation.expressions.tree import (
    BUILT_IN,
    FUNCTIONS,
    Call,
    Equation,
    Expression,
    Name,
    Number,
    names_in,
    rename,
    walk,
)

__all__ = [
    "BUILT_IN",
    "FUNCTIONS",
    "Call",
    "Equation",
    "Expression",
    "Name",
    "Number",
    "infer",
    "names_in",
    "parse_equations",
    "read_equations",
    "rename",
    "walk",
]
