"""Delivery and content systems, as the core sees them."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple, Protocol, TypeGuard

from pydantic import JsonValue

from ..assignment import Hashing
from ..documents import JsonObject
from ..model.delivery import Assignment, Content
from .capabilities import Capabilities, Promises


class Standing(NamedTuple):
    """How an entry stands in its document, beside what was delivered there."""

    actual: JsonObject | None
    """What `read` gives."""
    due: JsonObject
    """What was delivered, as it has to be there now: in parts that entries share, with what our later ones made of
    them, and without what has become others' to set."""
    shadows: list[str]
    """Rules of others that come before the entry's and can take its units, by place and name."""


class Foreign(NamedTuple):
    """Something that lets units in and is not ours, in our own words as far as they reach."""

    key: str
    """Its name there."""
    surface: str | None
    """None where nothing there names one."""
    touched: list[str]
    """Parameters that it sets."""
    audience: JsonObject
    """Everybody whom it can reach: of a condition that cannot be read, both those who meet it and those who do not."""
    share: float | None
    """Of its audience, 0-1; None when that cannot be told."""
    since: datetime | None
    unread: list[str]
    """What of it has no word here, a sentence each."""
    texts: bool = False
    """Values in its audience are texts, whatever the type of the attribute, but for bounds and numbers."""


class Location(NamedTuple):
    """Where documents lie."""

    begins: str
    """The whole of it for one document; of any number, what stands before the name of each."""
    ends: str | None = None
    """What stands behind the names; None for one document."""


class Probe(NamedTuple):
    """What one look at a system found."""

    ours: bool
    """Whether a document there bears the mark of our store."""
    strangers: dict[str, str]
    """As `Owned.strangers`, of all documents."""
    version: str | None = None
    """Of the system, where it tells."""


class Backend(Protocol):
    """A system of documents in which each experiment has one entry of its own.

    `read` and `write` take the settings that the catalogue (or a journal) holds, so that a stop needs no catalogue.
    """

    kind: str
    local_paths: tuple[str, ...]
    """Names of the settings that are paths on this machine: a relative one starts at Crossfade's own folder."""
    promises: Promises

    def location(self, settings: JsonObject) -> str | None:
        """What it writes to, as one text that is the same for settings that lead to the same place; None where the
        settings are wrong. Two backends of a catalogue never have one location."""
        ...

    def problems(self, settings: JsonObject) -> list[tuple[str, str]]:
        """(pointer, message) of each setting that is wrong; empty when the backend can be used."""
        ...

    def probe(self, settings: JsonObject) -> Probe:
        """Look at all that is there, and change nothing.

        Raises:
            BackendUnready: a secret or an extra is missing here.
            BackendUnreachable: the system cannot be called.
            BackendDenied: it does not let us in.
            BackendFailed: it fails otherwise.
        """
        ...

    def read(self, settings: JsonObject, document: str, entry: str) -> JsonObject | None:
        """Our entry in a document, in the shape that `write` takes, or None when it is absent.

        Raises:
            BackendFailed: the system cannot be reached or the document cannot be read.
        """
        ...

    def write(
        self,
        settings: JsonObject,
        document: str,
        entry: str,
        *,
        before: JsonObject | None,
        after: JsonObject | None,
        fence: int,
    ) -> None:
        """Compare-and-swap our entry from `before` to `after`; a repeat that finds `after` changes nothing.

        Other entries of the document stay as they are, byte for byte in meaning. The write is durable on return.
        `fence` grows with each change of the experiment and with each process that takes one over. The highest is kept
        in the document by the same atomic write, also of a write that finds `after`, and stays when the entry goes.

        Raises:
            BackendOwned: the document belongs to another store.
            BackendChanged: the entry is neither `before` nor `after`, or was written under a higher fence.
            BackendFailed: the system cannot be reached or refuses; retryable says whether to try again.
        """
        ...


class Owned(Protocol):
    """What a backend says of the stores that write to it. The first write marks a document with the store's id, in the
    same atomic write; from then on no other store's `write` is taken (BackendOwned), while all of them may read."""

    def strangers(self, settings: JsonObject, document: str | None = None) -> dict[str, str]:
        """Document -> the store that owns it, of each (or of one) that belongs to another store than ours.

        Raises:
            BackendFailed: the system cannot be reached or a document cannot be read.
        """
        ...

    def adopt(self, settings: JsonObject, document: str, *, before: str) -> None:
        """Make a document of the store `before` ours; a repeat changes nothing.

        Raises:
            BackendChanged: it belongs to somebody else by now.
            BackendFailed: the system cannot be reached or refuses.
        """
        ...


class Assigner(Backend, Owned, Protocol):
    """A backend that decides which variant a unit gets."""

    capabilities: Capabilities

    @property
    def hashing(self) -> Hashing | None:
        """What its SDKs decide by; None of one that allocates."""
        ...

    def assignment_document(self, assignment: Assignment) -> str:
        """Name of the document that an assignment belongs to."""
        ...

    def compile_assignment(self, assignment: Assignment) -> JsonObject:
        """The entry for an assignment. Pure."""
        ...

    def entries(self, settings: JsonObject, layer: str | None = None) -> list[tuple[str, str]]:
        """(document, entry) of each experiment that is there, or of each that lets units of a layer in, by its seed.

        Raises:
            BackendFailed: the system cannot be reached or a document cannot be read.
        """
        ...

    def fitted(self, settings: JsonObject, document: str, entry: str, wanted: JsonObject) -> JsonObject:
        """The entry as it can be put into the document: without what others have set there, which stays theirs.

        Raises:
            BackendFailed: the system cannot be reached or the document cannot be read.
        """
        ...

    def standing(self, settings: JsonObject, document: str, entry: str, delivered: JsonObject) -> Standing:
        """The entry beside what was delivered, from one look at the document.

        Raises:
            BackendFailed: the system cannot be reached or the document cannot be read.
        """
        ...

    def with_previews(self, entry: JsonObject, previews: dict[str, list[str]]) -> JsonObject:
        """An entry as it is in a document, with the test units of each variant replaced, and all else as it is: they
        get the values that the entry holds. A variant that is not in the entry is left out. Pure.

        Raises:
            Invalid: the backend cannot force a value of one of the variants.
        """
        ...

    def with_coverage(self, entry: JsonObject, coverage: float) -> JsonObject:
        """An entry as it is in a document, with another share of its buckets' units let in, 0-1, and all else as it is.
        A unit that is in before and after keeps its variant. Pure."""
        ...


class Allocating(Protocol):
    """What an assigner has besides that gives out units itself (`Capabilities.allocates`): to take its entry out gives
    the units back, and others come the next time."""

    def closed(self, entry: JsonObject) -> JsonObject | None:
        """An entry as it is in a document, letting nobody in, with the units kept for the experiment; None where it
        does not say which they are any more. Pure."""
        ...


class Telling(Protocol):
    """What an assigner says of others who use it beside us."""

    def foreign(self, settings: JsonObject) -> list[Foreign]:
        """What runs there and is not ours, by surface and name; what is switched off is left out.

        Raises:
            BackendFailed: the system cannot be reached or a document cannot be read.
        """
        ...


class Spread(Protocol):
    """What a backend of documents says that writes to more than one `location` names."""

    def locations(self, settings: JsonObject) -> list[Location]:
        """Every one, and each under every address that the settings know; empty where they are wrong."""
        ...


class ContentStore(Backend, Owned, Protocol):
    """A backend that holds what variants show, and the values in production."""

    def content_document(self, surface: str) -> str:
        """Name of a surface's document."""
        ...

    def compile_content(self, content: Content) -> JsonObject:
        """The entry for an experiment's content. Pure."""
        ...

    def entries(self, settings: JsonObject) -> list[tuple[str, str]]:
        """(document, entry) of each experiment that is there.

        Raises:
            BackendFailed: the system cannot be reached or a document cannot be read.
        """
        ...

    def production(self, settings: JsonObject, surface: str) -> dict[str, JsonValue]:
        """Parameter -> value in production now; a parameter never written is absent.

        Raises:
            BackendFailed: the system cannot be reached or the document cannot be read.
        """
        ...


def assigns(backend: Backend) -> TypeGuard[Assigner]:
    """Whether a backend can be an assigner. Adapters match a protocol by shape, so its shape is what is asked for."""
    return hasattr(backend, "compile_assignment")


def allocates(backend: Backend) -> TypeGuard[Allocating]:
    """Whether a backend is an assigner that gives out units itself."""
    return assigns(backend) and backend.capabilities.allocates


def tells_foreign(backend: Backend) -> TypeGuard[Telling]:
    """Whether a backend can say what others run there."""
    return hasattr(backend, "foreign")


def is_spread(backend: Backend) -> TypeGuard[Spread]:
    """Whether a backend can say of more than one place that it writes to it."""
    return hasattr(backend, "locations")


def holds_content(backend: Backend) -> TypeGuard[ContentStore]:
    """Whether a backend can be a content store."""
    return hasattr(backend, "compile_content")
