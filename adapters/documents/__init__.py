"""JSON documents with compare-and-swap, by where they lie."""

from .document import Collection, Document, Place
from .entries import member, require_before, swap_entry, too_late
from .file import Folder, JsonFile, OneFile
from .paths import require_name

__all__ = [
    "Collection",
    "Document",
    "Folder",
    "JsonFile",
    "OneFile",
    "Place",
    "member",
    "require_before",
    "require_name",
    "swap_entry",
    "too_late",
]
