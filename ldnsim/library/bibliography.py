"""Source keys and their citations, from BibTeX files."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

from ldnsim.foundation.errors import Fault, LdnsimError
from ldnsim.foundation.yaml import read_text
from ldnsim.library.index import LIBRARY, is_file

if TYPE_CHECKING:
    from pathlib import Path

    from bibtexparser.model import Block

__all__ = ["BIBLIOGRAPHY", "load_bibliography", "read_bibliography"]

BIBLIOGRAPHY = "references.bib"
BRACES = re.compile(r"[{}\"]")
SPACES = re.compile(r"\s+")


def load_bibliography(folder: Path | None = None) -> dict[str, str]:
    """source key -> citation, from the library's references and those in `references.bib` of a folder."""
    files = [LIBRARY / "models" / BIBLIOGRAPHY]
    if folder is not None and is_file(folder / BIBLIOGRAPHY):
        files.append(folder / BIBLIOGRAPHY)
    return {key: citation for file in files for key, citation in read_bibliography(read_text(file), str(file)).items()}


def read_bibliography(text: str, file: str = "references.bib") -> dict[str, str]:
    """Citations by source key.

    Parameters
    ----------
    text : str
        Text of a BibTeX file. A field may span several lines and hold nested braces.
    file : str
        Name of the file, for error messages.

    Returns
    -------
    dict of str to str
        Key to one-line citation: authors (year). title. journal, volume, pages. DOI or PMID, as far as the entry has
        them.

    Raises
    ------
    LdnsimError
        With file and line of every entry that cannot be read, and of every key that occurs twice.

    Examples
    --------
    >>> read_bibliography("@article{doe, author = {Doe, J.}, year = 1999, title = {On {LDN}}}")
    {'doe': 'Doe, J. (1999). On LDN'}
    """
    from bibtexparser.entrypoint import parse_string  # imported late: most commands cite nothing

    logging.getLogger("bibtexparser").addHandler(logging.NullHandler())  # its warnings are reported as faults below
    found = parse_string(text)
    if found.failed_blocks:
        raise LdnsimError(_fault(block, file) for block in found.failed_blocks)
    return {
        entry.key: _citation({field.key.lower(): _plain(str(field.value)) for field in entry.fields})
        for entry in found.entries
    }


def _fault(block: Block, file: str) -> Fault:
    key = getattr(block, "key", None)
    message = f"the key {key!r} occurs twice" if key else "this entry cannot be read"
    expected = "each key once" if key else "@type{key, field = {value}, ...} with every brace closed"
    return Fault(message, (), expected, file=file, line=(block.start_line or 0) + 1)


def _plain(value: str) -> str:
    return SPACES.sub(" ", BRACES.sub("", value)).strip()


def _citation(fields: dict[str, str]) -> str:
    authors = fields.get("author", fields.get("institution", "")).replace(" and ", ", ")
    year = f"({fields['year']})" if "year" in fields else ""
    identifier = f"doi:{fields['doi']}" if "doi" in fields else f"PMID {fields['pmid']}" if "pmid" in fields else ""
    venue = ", ".join(fields[name] for name in ("journal", "volume", "pages") if name in fields)
    lead = " ".join(part for part in (authors, year) if part)
    return ". ".join(part for part in (lead, fields.get("title", ""), venue, identifier) if part)
