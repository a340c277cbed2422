"""JSON documents with compare-and-swap, by where they lie."""

from .backend import DocumentBackend
from .document import Collection, Document, Place, untold
from .entries import member
from .etcd import KeyPrefix, OneKey
from .file import Folder, JsonFile, OneFile
from .s3 import ObjectPrefix, OneObject

__all__ = [
    "Collection",
    "Document",
    "DocumentBackend",
    "Folder",
    "JsonFile",
    "KeyPrefix",
    "ObjectPrefix",
    "OneFile",
    "OneKey",
    "OneObject",
    "Place",
    "member",
    "untold",
]
