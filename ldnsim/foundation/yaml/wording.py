"""What ruamel says about text that is no YAML, in plain words and at the place where the slip is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ldnsim.foundation.errors import Fault

if TYPE_CHECKING:
    from ldnsim.foundation.yaml.document import Document

__all__ = ["syntax_fault"]

CLOSING = {"[": "]", "{": "}"}
# what ruamel says -> what it means, and what is expected
MEANINGS = (
    ("cannot start any token: tab", "a tab stands where YAML wants spaces", "spaces"),
    ("cannot start any token", "text cannot begin with this character", "text in quotes"),
    (
        "mapping values are not allowed here",
        "a ':' comes unexpectedly",
        "text that holds ': ' in quotes, and keys of one mapping indented alike",
    ),
    ("could not find expected ':'", "a key without ':'", "key: value"),
    (
        "expected <block end>",
        "this line fits none of those above it",
        "lines of one mapping or list indented alike, text in quotes closed at its end",
    ),
    ("unknown escape character", "an escape that YAML does not know", "\\\\ for a backslash, or single quotes"),
    ("expected escape sequence", "an escape with too few digits", "\\\\ for a backslash, or single quotes"),
    ("expected the node content", "a value is missing here", "a value"),
    ("did not find expected <document start>", "a second YAML document begins here", "one document in a file"),
    ("incompatible YAML document", "directives (%YAML, %TAG) are not used in these files", "a file without them"),
    ("expected chomping or indentation", "after | or > the text begins on the next line", "a new line"),
    ("expected a comment or a line break", "after | or > the text begins on the next line", "a new line"),
)


def syntax_fault(document: Document, error: Any, before: Any) -> Fault:
    """ruamel's error (a MarkedYAMLError) as a fault with its place. `before` is the last event that could be read."""
    problem, context = str(error.problem or ""), str(error.context or "")
    mark, begin = error.problem_mark or error.context_mark, error.context_mark
    if "end of stream" in problem and "quoted" in context:
        return _at(document, begin, "this quote is never closed", "the same quote at the end of the text")
    if "flow" in context and ("expected ','" in problem or "<stream end>" in problem):
        return _bracket_fault(document, problem, mark, begin)
    if "expected <block end>" in problem and (fault := _end_fault(document, mark, before)):
        return fault
    if "simple key" in context:
        mark = begin  # the line without ':' and not the one after it
    if "cannot start any token" in problem and _character(document, mark) == "\t":
        problem += ": tab"
    for said, meaning, expected in MEANINGS:
        if said in problem:
            return _at(document, mark, meaning, expected)
    return _at(document, mark, f"not YAML: {problem or context}", "")


def _bracket_fault(document: Document, problem: str, mark: Any, begin: Any) -> Fault:
    """Inside [...] or {...}: not closed where the text goes on in another line, else a comma is missing."""
    if "<stream end>" in problem or mark.line > begin.line:
        opening = _character(document, begin)
        expected = f"{CLOSING.get(opening, ']')!r} at its end, and ',' between its entries"
        return _at(document, begin, f"this {opening!r} is not closed", expected)
    return _at(document, mark, "a ',' is missing before this", "',' between the entries of [...] and {...}")


def _end_fault(document: Document, mark: Any, before: Any) -> Fault | None:
    """Something stands where a line should have ended: a bracket too many, or the rest of a text with quotes in it."""
    if _character(document, mark) in CLOSING.values():
        message = f"this {_character(document, mark)!r} closes nothing"
        return _at(document, mark, message, "as many closing brackets as opening ones")
    if getattr(before, "style", None) not in ("'", '"') or before.end_mark.line != mark.line:
        return None
    if before.start_mark.line < mark.line:
        message = f"this quote is closed in line {mark.line + 1} only"
        return _at(document, before.start_mark, message, "the same quote at the end of the text")
    return _at(document, mark, "text goes on after its closing quote", "the whole text in quotes, or none of it")


def _character(document: Document, mark: Any) -> str:
    line = document.lines[mark.line] if mark and mark.line < len(document.lines) else ""
    return line[mark.column : mark.column + 1] if mark else ""


def _at(document: Document, mark: Any, message: str, expected: str) -> Fault:
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return document.at(line, column, Fault(message, expected=expected))
