"""YAML text -> plain mappings, lists and scalars, with the place of every key and value.

Built from ruamel's event stream, so that everything wrong with a file is told at once and nothing in a file can cost
more than its length: no anchors, no tags, bounded depth and size.
"""

from __future__ import annotations

from ldnsim.foundation.yaml.building import build
from ldnsim.foundation.yaml.document import HOLE, Document
from ldnsim.foundation.yaml.reading import read_document, read_text

__all__ = ["HOLE", "Document", "build", "read_document", "read_text"]
