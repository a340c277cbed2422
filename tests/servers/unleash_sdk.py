"""A product that uses Unleash: its Python SDK, with what the server has now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue
from UnleashClient.cache import BaseCache
from UnleashClient.clients.unleash_client import UnleashClient
from UnleashClient.constants import FEATURES_URL
from UnleashClient.utils import InstanceAllowType

from crossfade.core.documents import JsonObject


class InMemory(BaseCache):
    """What the SDK would keep on disk."""

    bootstrapped = True

    def __init__(self, state: JsonObject) -> None:
        self._kept: dict[str, Any] = {FEATURES_URL: json.dumps(state)}

    def set(self, key: str, value: Any) -> None:
        self._kept[key] = value

    def mset(self, data: Mapping[str, Any]) -> None:
        self._kept.update(data)

    def get(self, key: str, default: Any = None) -> Any:
        return self._kept.get(key, default)

    def exists(self, key: str) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride]
        return key in self._kept

    def destroy(self) -> None:
        self._kept.clear()


class Product:
    def __init__(self, state: JsonObject) -> None:
        self._client: Any = UnleashClient(
            "http://127.0.0.1",
            "product",
            cache=InMemory(state),
            multiple_instance_mode=InstanceAllowType.SILENTLY_ALLOW,
            verbose_log_level=0,
        )

    def variant(self, flag: str, context: Mapping[str, Any]) -> str | None:
        """The variant of a unit; None where the flag gives it none, so that it has the values in production."""
        found = self._client.get_variant(flag, dict(context))
        return str(found["name"]) if found["enabled"] else None

    def lets_in(self, flag: str, context: Mapping[str, Any]) -> bool:
        return bool(self._client.is_enabled(flag, dict(context)))

    def values(self, flag: str, context: Mapping[str, Any]) -> JsonValue:
        """The parameters of a unit's variant."""
        payload = self._client.get_variant(flag, dict(context)).get("payload")
        return json.loads(payload["value"]) if payload else None
