"""A product that uses Confidence: its resolver, as the PyPI package brings it, with what the account holds now."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Any

from pydantic import JsonValue

from .confidence import ACCOUNT, CLIENT_SECRET
from .starting import folder_of


@cache
def _resolver() -> Any:
    """The resolver, which is WebAssembly."""
    program = (folder_of("confidence") / "wasm" / "confidence_resolver.wasm").read_bytes()
    module: Any = import_module("confidence.local_resolver")
    return module.LocalResolver(program)


class Product:
    def __init__(self, state: bytes) -> None:
        self._messages: Any = import_module("confidence.proto.confidence.wasm.wasm_api_pb2")
        _resolver().set_resolver_state(state, ACCOUNT.partition("/")[2], None, False, True)

    def variant(self, flag: str, context: Mapping[str, Any]) -> str | None:
        """The variant of a unit; None where the flag gives it none, so that it has the values in production."""
        found = self._resolved(flag, context)
        return str(found.variant).rpartition("/")[2] or None if found is not None else None

    def values(self, flag: str, context: Mapping[str, Any]) -> JsonValue:
        """The parameters of a unit's variant."""
        found = self._resolved(flag, context)
        json_format: Any = import_module("google.protobuf.json_format")
        return json_format.MessageToDict(found.value) if found is not None and found.variant else None

    def _resolved(self, flag: str, context: Mapping[str, Any]) -> Any:
        request = self._messages.ResolveProcessRequest()
        asked = request.without_materializations
        asked.flags.append(f"flags/{flag}")
        asked.client_secret = CLIENT_SECRET
        asked.evaluation_context.update(dict(context))
        answer = _resolver().resolve_process(request)
        return next(iter(answer.resolved.response.resolved_flags), None)
