"""What a power loss may take of folders: no name in them before something is said to be kept there."""

from __future__ import annotations

from pathlib import Path

import pytest

from crossfade.adapters import folders
from crossfade.adapters.documents import JsonFile
from crossfade.adapters.folders import make_folder
from crossfade.adapters.store.store import open_store


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Path, list[str]]]:
    """Folder, and the names in it when it was synced, by whoever makes folders."""
    found: list[tuple[Path, list[str]]] = []

    def sync(folder: Path) -> None:
        found.append((folder, [each.name for each in folder.iterdir()]))

    monkeypatch.setattr(folders, "sync_folder", sync)
    return found


def test_a_new_folder_is_durable_before_anything_is_in_it(tmp_path: Path, synced: list[tuple[Path, list[str]]]) -> None:
    make_folder(tmp_path / "var/crossfade")
    assert synced[-2:] == [(tmp_path, ["var"]), (tmp_path / "var", ["crossfade"])]


def test_a_folder_that_somebody_has_just_made_is_synced_all_the_same(
    tmp_path: Path, synced: list[tuple[Path, list[str]]]
) -> None:
    (tmp_path / "var").mkdir()
    make_folder(tmp_path / "var")
    assert synced == [(tmp_path, ["var"])]


def test_a_folder_that_cannot_be_synced_and_is_there_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(folder: Path) -> None:
        raise PermissionError(folder)

    monkeypatch.setattr(folders, "sync_folder", refuse)
    make_folder(tmp_path)
    with pytest.raises(PermissionError):
        make_folder(tmp_path / "new")


def test_the_folders_of_a_new_store_outlive_a_power_loss(tmp_path: Path, synced: list[tuple[Path, list[str]]]) -> None:
    store = open_store(tmp_path / "var/crossfade/crossfade.db")
    store.close()
    assert synced[-2:] == [(tmp_path, ["var"]), (tmp_path / "var", ["crossfade"])]


def test_the_folders_of_a_new_document_outlive_a_power_loss(
    tmp_path: Path, synced: list[tuple[Path, list[str]]]
) -> None:
    JsonFile(tmp_path / "out/flags/flags.json").update(lambda _: {})
    assert synced[-2:] == [(tmp_path, ["out"]), (tmp_path / "out", ["flags"])]
