"""Source keys and what they stand for: a small reader for the project's own `models/references.bib`."""

from __future__ import annotations

import re

__all__ = ["read_bibliography"]

ENTRY = re.compile(r"@\w+\s*\{\s*([^,\s]+)\s*,(.*?)\n\}", re.S)
FIELD = re.compile(r"(\w+)\s*=\s*(?:\{((?:[^{}]|\{[^{}]*\})*)\}|\"([^\"]*)\"|(\d+))")


def read_bibliography(text: str) -> dict[str, str]:
    """key -> one-line citation: authors (year) title, journal, doi or PMID, as far as the entry gives them."""
    citations = {}
    for key, body in ENTRY.findall(text):
        fields = {name.lower(): re.sub(r"[{}]", "", a or b or c).strip() for name, a, b, c in FIELD.findall(body)}
        authors = fields.get("author", fields.get("institution", "")).replace(" and ", ", ")
        year = f"({fields['year']})" if "year" in fields else ""
        identifier = f"doi:{fields['doi']}" if "doi" in fields else f"PMID {fields['pmid']}" if "pmid" in fields else ""
        venue = ", ".join(fields[name] for name in ("journal", "volume", "pages") if name in fields)
        lead = " ".join(part for part in (authors, year) if part)
        citations[key] = ". ".join(part for part in (lead, fields.get("title", ""), venue, identifier) if part)
    return citations
