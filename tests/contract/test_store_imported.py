"""What every store promises about what others run: it is replaced as a whole, one backend at a time."""

from __future__ import annotations

from typing import Any

from crossfade.core.ports.store import Imported, Store

from .test_store import NOW, empty, kind, store

__all__ = ["empty", "kind", "store"]


def imported(key: str, **changes: Any) -> Imported:
    fields: dict[str, Any] = {
        "environment": "open",
        "backend": "flags",
        "surface": "gallery",
        "touched": ["guide_first"],
        "audience": {"any": [{"country": "NL"}, {"country": {"exists": False}}]},
        "share": 0.25,
        "since": NOW,
    }
    return Imported(key=key, **{**fields, **changes})


def test_what_others_run_comes_back_as_it_was_kept_by_surface_and_key(store: Store) -> None:
    first, second, third = imported("b", surface="desk"), imported("a", share=None), imported("b")
    with store.write() as writer:
        writer.set_imported("open", "flags", [third, first, second])
    with store.read() as reader:
        assert reader.imported("open") == [first, second, third]
        assert reader.imported("closed") == []


def test_an_import_replaces_that_of_its_own_backend_and_environment_alone(store: Store) -> None:
    other, closed = imported("a", backend="rules"), imported("a", environment="closed")
    with store.write() as writer:
        writer.set_imported("open", "flags", [imported("a"), imported("b")])
        writer.set_imported("open", "rules", [other])
        writer.set_imported("closed", "flags", [closed])
        writer.set_imported("open", "flags", [imported("c")])
    with store.read() as reader:
        assert reader.imported("open") == [other, imported("c")]
        assert reader.imported("closed") == [closed]
    with store.write() as writer:
        writer.set_imported("open", "flags", [])
    with store.read() as reader:
        assert reader.imported("open") == [other]
