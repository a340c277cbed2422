"""Home of a product, rendered with what Crossfade delivers. A page to copy: it imports nothing of Crossfade.

Every request is decided here, from two files that are read again when they change; no experiment server is asked.
"""

from __future__ import annotations

import json
import logging
import os
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Generic, TypeVar

import uvicorn
from growthbook import GrowthBook
from growthbook.common_types import Experiment, Feature, Result, UserContext
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

SURFACE = "home"

DEFAULTS: dict[str, Any] = {
    "shelf_order": ["recently-played", "made-for-you", "jump-back-in", "new-releases", "podcasts", "charts"],
    "shelf_length": 10,
    "shortcuts": {"count": 6, "source": "recent"},
    "recommendation_model": "blend",
    "familiar_share": 0.55,
    "shelf_layout": "carousel",
    "cover_size": 152,
    "video_previews": False,
}
"""What Home renders as long as nothing is delivered. Each name is a parameter of the surface in the catalogue."""

UNITS = {"user_id": "user", "device_id": "device", "session_id": "session"}

ATTRIBUTES: dict[str, Callable[[str], Any]] = {
    "country": str,
    "language": str,
    "platform": str,
    "app_version": str,
    "plan": str,
    "is_premium": lambda text: text == "true",
    "account_age_days": int,
}
"""What an audience may ask of a user, in the catalogue's types: a number that came as text would match no audience."""

T = TypeVar("T")
log = logging.getLogger("uvicorn.error")


@dataclass(frozen=True)
class Payload:
    version: str = ""
    features: dict[str, Feature] = field(default_factory=dict[str, Feature])


def read_payload(raw: bytes) -> Payload:
    content = json.loads(raw)
    sdk = GrowthBook()
    sdk.set_payload(content)
    return Payload(content.get("dateUpdated", ""), sdk.get_features())


def read_production(raw: bytes) -> dict[str, Any]:
    """The values that were shipped; Crossfade keeps them beside those of running experiments."""
    return dict[str, Any](**json.loads(raw).get("parameters", {}))  # TypeError when it is no object


class Watched(Generic[T]):
    """What a file holds, read again when it changes. While it is missing or broken, the last good content stays."""

    def __init__(self, path: Path, read: Callable[[bytes], T], empty: T) -> None:
        self._path, self._read, self._content = path, read, empty
        self._seen: tuple[int, ...] = ()

    def current(self) -> T:
        try:
            found = self._path.stat()
            seen = (found.st_mtime_ns, found.st_size, found.st_ino)
            if seen != self._seen:
                self._seen = seen
                self._content = self._read(self._path.read_bytes())
        except FileNotFoundError:
            pass  # nothing has been launched yet
        except (OSError, ValueError, AttributeError, TypeError):
            log.exception("%s cannot be read; what it held before goes on", self._path)
        return self._content


class Exposures:
    """Appends a line for the first time that a unit meets an experiment, as far as this process remembers.

    A unit may show up again after a restart or in another process: the analysis takes the first line of each.
    """

    def __init__(self, path: Path, remember: int = 100_000) -> None:
        self._path, self._remember = path, remember
        self._met: OrderedDict[tuple[str, str, str], None] = OrderedDict()

    def add(self, experiment: Experiment[Any], result: Result[Any], user: UserContext, flag_version: str) -> None:
        met = (experiment.key, result.hashValue, result.key)
        if met in self._met:
            self._met.move_to_end(met)
            return
        line = {
            "entity_id": result.hashValue,
            "entity_type": UNITS.get(result.hashAttribute, result.hashAttribute),
            "experiment_key": experiment.key,
            "variant": result.key,
            "rule_id": experiment.key,  # in Crossfade's payload a rule is named after its experiment
            "exposed_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "flag_version": flag_version,
            "client_version": user.attributes.get("app_version"),
            "reason": "split",
        }
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._met[met] = None
        if len(self._met) > self._remember:
            self._met.popitem(last=False)


def attributes_of(query: dict[str, str]) -> dict[str, Any]:
    """The user's attributes. What is not known is left out: then audiences that ask for it do not match.

    Raises:
        ValueError: a value is not of its attribute's type.
    """
    known = {name: of_type(query[name]) for name, of_type in ATTRIBUTES.items() if name in query}
    return {"user_id": query["user_id"], **known}


class Home:
    """The surface: what is delivered for it, and what one user gets of that."""

    def __init__(self, home: Path, exposures: Path) -> None:
        folder = home / "delivery" / "production"
        self._payload = Watched(folder / "growthbook.json", read_payload, Payload())
        self._production = Watched(folder / "parameters" / f"{SURFACE}.json", read_production, dict[str, Any]())
        self._exposures = Exposures(exposures)

    def render(self, attributes: dict[str, Any]) -> dict[str, Any]:
        """{"parameters": what to render with, "experiments": {experiment: variant} that the user is in}."""
        payload, production = self._payload.current(), self._production.current()

        def exposed(*, experiment: Experiment[Any], result: Result[Any], user_context: UserContext) -> None:
            self._exposures.add(experiment, result, user_context, payload.version)

        # One SDK a request, on features that were parsed once: no request sees another's user.
        sdk = GrowthBook(attributes=attributes, features=payload.features, on_experiment_viewed=exposed)
        parameters: dict[str, Any] = {}
        experiments: dict[str, str] = {}
        for name, default in DEFAULTS.items():
            parameters[name] = production.get(name, default)
            feature = f"{SURFACE}.{name}"
            if feature not in payload.features:
                continue  # nothing varies it; the SDK would log a warning
            answer = sdk.eval_feature(feature)
            if answer.experiment and answer.experimentResult:
                experiments[answer.experiment.key] = answer.experimentResult.key
            # Outside experiments, what was shipped wins over what the payload was launched on.
            if answer.source in ("experiment", "force") or name not in production:
                parameters[name] = answer.value
        return {"parameters": parameters, "experiments": experiments}


def create_app(home: Path, exposures: Path) -> Starlette:
    surface = Home(home, exposures)

    async def render(request: Request) -> JSONResponse:
        query = dict(request.query_params)
        if not query.get("user_id"):
            return JSONResponse({"error": "user_id is missing"}, 400)
        try:
            attributes = attributes_of(query)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, 400)
        return JSONResponse({"user_id": query["user_id"], **surface.render(attributes)})

    return Starlette(routes=[Route(f"/{SURFACE}", render)])


def main() -> None:
    home = Path(os.environ.get("CROSSFADE_HOME", "~/.crossfade")).expanduser()
    exposures = Path(os.environ.get("EXPOSURES", "exposures.jsonl"))
    uvicorn.run(create_app(home, exposures), host="127.0.0.1", port=int(os.environ.get("PORT", "8000")))


if __name__ == "__main__":
    main()
