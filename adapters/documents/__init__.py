"""JSON documents with compare-and-swap, by where they lie."""

from .document import Collection, Document, Place, untold
from .entries import member, swap_entry
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
    "require_name",
    "swap_entry",
    "untold",
]
