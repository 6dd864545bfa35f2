"""What does not fit a record, in plain words: pydantic's errors as faults."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from ldnsim.foundation.errors import MOST_FAULTS, Fault, LdnsimError, clipped, nearest, shown

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

__all__ = ["KEY_MARK", "LIST_MARK", "RANGE_MARK", "faults_of", "path_of"]

KEY_MARK = "[key]"  # pydantic's last step to a key that does not fit
LIST_MARK, RANGE_MARK = "[list]", "[range]"  # its steps into one of several shapes; nothing in a file is called so
# pydantic's kind of error -> what was expected
EXPECTED = {
    "string_type": ("text", "text, in quotes where it looks like something else"),
    "dict_type": ("a mapping", "key: value"),
    "model_type": ("a mapping", "key: value"),
    "model_attributes_type": ("a mapping", "key: value"),
    "tuple_type": ("a list", "[..., ...]"),
    "list_type": ("a list", "[..., ...]"),
}


def faults_of(caught: LdnsimError | ValidationError) -> list[Fault]:
    """What pydantic, or we ourselves, found wrong, as faults. Paths start at the record that was validated."""
    if isinstance(caught, LdnsimError):
        return list(caught.faults)
    return [_fault(error) for error in islice(caught.errors(include_url=False), MOST_FAULTS)]


def path_of(error: ErrorDetails) -> tuple[str | int, ...]:
    """Where in the content an error lies, without pydantic's own steps."""
    return tuple(step for step in error["loc"] if step not in (KEY_MARK, LIST_MARK, RANGE_MARK))


def _fault(error: ErrorDetails) -> Fault:
    context: dict[str, Any] = error.get("ctx", {})
    kind, path, found = error["type"], path_of(error), error.get("input")
    at_key = error["loc"][-1:] == (KEY_MARK,)
    if kind == "missing":
        return Fault(f"{path[-1]!r} is missing", path[:-1], at_key=True)
    if kind == "extra_forbidden":
        return Fault(f"unknown key {shown(path[-1])}", path, at_key=True)
    if kind == "ldnsim":
        return Fault(context["message"], path, context["expected"], context["nearest"], context["offset"], at_key)
    if kind == "literal_error":
        known = re.findall(r"'([^']*)'", str(context.get("expected", "")))
        return Fault(f"unknown value {shown(found)}", path, ", ".join(known), nearest(str(found)[:60], known))
    if kind in EXPECTED:
        wanted, expected = EXPECTED[kind]
        return Fault(f"{shown(found)} is not {wanted}", path, expected)
    if kind in ("too_short", "too_long"):
        bound = f"at least {context['min_length']}" if kind == "too_short" else f"at most {context['max_length']}"
        return Fault(f"{context.get('actual_length', 'too many')} entries", path, bound)
    if kind in ("greater_than_equal", "less_than_equal"):
        bound = f"at least {context['ge']}" if "ge" in context else f"at most {context['le']}"
        return Fault(f"{shown(found)} is out of range", path, bound)
    message = error["msg"]
    return Fault(clipped(f"{shown(found)}: {message[:1].lower()}{message[1:]}", 200), path, at_key=at_key)
