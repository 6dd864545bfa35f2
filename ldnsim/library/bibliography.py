"""Source keys and what they stand for: a small reader for `references.bib`."""

from __future__ import annotations

import re

__all__ = ["read_bibliography"]

ENTRY = re.compile(r"@\w+\s*\{\s*([^,\s{}]+)\s*,")
FIELD = re.compile(r"\s*(\w+)\s*=(.*)")
BRACES = re.compile(r"[{}\"]")


def read_bibliography(text: str) -> dict[str, str]:
    """key -> one-line citation: authors (year) title, journal, doi or PMID, as far as the entry gives them.

    Read line by line: an entry ends with a brace at the beginning of a line, a field with its line.
    """
    entries: dict[str, dict[str, str]] = {}
    fields: dict[str, str] = {}
    for line in text.splitlines():
        if entry := ENTRY.match(line):
            fields = entries.setdefault(entry[1], {})
        elif line.startswith("}"):
            fields = {}
        elif found := FIELD.match(line):
            fields[found[1].lower()] = BRACES.sub("", found[2].strip().removesuffix(",")).strip()
    return {key: _citation(fields) for key, fields in entries.items()}


def _citation(fields: dict[str, str]) -> str:
    authors = fields.get("author", fields.get("institution", "")).replace(" and ", ", ")
    year = f"({fields['year']})" if "year" in fields else ""
    identifier = f"doi:{fields['doi']}" if "doi" in fields else f"PMID {fields['pmid']}" if "pmid" in fields else ""
    venue = ", ".join(fields[name] for name in ("journal", "volume", "pages") if name in fields)
    lead = " ".join(part for part in (authors, year) if part)
    return ". ".join(part for part in (lead, fields.get("title", ""), venue, identifier) if part)
