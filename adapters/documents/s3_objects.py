"""The few calls of S3 that documents need, by boto3, which is imported with the first of them."""

from __future__ import annotations

import importlib
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

from ...core.deadline import require_awaited, within
from ...core.documents import JsonObject
from ...core.errors import BackendDenied, BackendFailed, BackendUnready

CONNECT_SECONDS = 3
READ_SECONDS = 10
TRIES = 3
"""Attempts of a call that got no answer, or one that asks for another try. A second write does no harm: it fails where
the first one had its effect."""
CONNECTIONS = 20
MOST_BYTES = 32 * 1024 * 1024
CALL_SECONDS = 20.0
"""The end of a call with all its attempts, whatever it waits for."""
_LOST = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})
_GONE = "NoSuchKey"
"""A 404 without this is of something else than S3: no document is not one that is missing."""


Outcome = TypeVar("Outcome")


class Bucket(NamedTuple):
    name: str
    region: str | None
    endpoint: str | None

    def get(self, key: str) -> tuple[bytes, str] | None:
        """An object and its ETag; None when there is none.

        Raises:
            BackendFailed: as all methods here: S3 cannot be reached or refuses.
        """
        client, errors = client_of(self.region, self.endpoint), _errors()

        def whole() -> tuple[bytes, Any]:
            found = client.get_object(Bucket=self.name, Key=key)
            with closing(found["Body"]) as body:
                return body.read(MOST_BYTES + 1), found

        try:
            body, found = self._ended(whole)
        except (errors.ClientError, errors.BotoCoreError) as error:
            if _code(error) == _GONE:
                return None
            raise refusal(error, self) from None
        if len(body) > MOST_BYTES:
            raise BackendFailed(
                f"The object has more than {MOST_BYTES // 2**20} MB.",
                next="See that the settings lead to the right object.",
                got=key,
            )
        return body, _etag(found)

    def put(self, key: str, value: bytes, etag: str | None, cache_control: str | None) -> bool:
        """Write the object where its ETag still stands, None for no object; whether it was written."""
        client, errors = client_of(self.region, self.endpoint), _errors()
        condition = {"IfNoneMatch": "*"} if etag is None else {"IfMatch": etag}
        cached = {} if cache_control is None else {"CacheControl": cache_control}
        try:
            answer = self._ended(
                lambda: client.put_object(
                    Bucket=self.name, Key=key, Body=value, ContentType="application/json", **condition, **cached
                )
            )
        except (errors.ClientError, errors.BotoCoreError) as error:
            if _code(error) in _LOST or (etag is not None and _code(error) == _GONE):
                return False
            raise refusal(error, self) from None
        _etag(answer)
        return True

    def keys(self, prefix: str) -> list[str]:
        """The keys right below a prefix that ends in /, sorted."""
        errors = _errors()
        try:
            return self._ended(lambda: sorted(self._keys(prefix)))
        except (errors.ClientError, errors.BotoCoreError) as error:
            raise refusal(error, self) from None

    def _ended(self, call: Callable[[], Outcome]) -> Outcome:
        try:
            return within(CALL_SECONDS, call)
        except TimeoutError:
            message, then, retryable = _UNREACHED
            got: JsonObject = {"reason": "too slow", "bucket": self.name}
            raise BackendFailed(message, next=then, got=got, retryable=retryable) from None

    def _keys(self, prefix: str) -> Iterator[str]:
        pages = client_of(self.region, self.endpoint).get_paginator("list_objects_v2")
        for page in pages.paginate(Bucket=self.name, Prefix=prefix, Delimiter="/"):
            if page.get("Name") != self.name:
                raise _not_s3()
            yield from (str(each["Key"]) for each in page.get("Contents", ()))


def _etag(answer: Mapping[str, Any]) -> str:
    """The ETag that S3 never leaves out. A page of something before it does, and may not even be of S3."""
    etag = answer.get("ETag")
    if not isinstance(etag, str):
        raise _not_s3()
    return etag


def _not_s3() -> BackendFailed:
    return BackendFailed(
        "The answer is not one of S3, so whether the call did anything is not known.",
        next="See that `endpoint` leads to the system itself and not to a page before it, then repeat the call.",
        retryable=True,
    )


_MAKING = threading.Lock()


def client_of(region: str | None, endpoint: str | None) -> Any:  # boto3 makes its classes when it runs
    """One for all threads: to make it takes a tenth of a second, and it keeps connections and credentials.

    Raises:
        BackendFailed: boto3 is not installed, or cannot be set up as the environment says.
    """
    with _MAKING:
        return _made(region, endpoint)


@lru_cache(maxsize=32)
def _made(region: str | None, endpoint: str | None) -> Any:
    session, config, errors = _module("boto3.session"), _module("botocore.config"), _errors()
    # Systems that are like S3 know neither the newer checksums nor host names that begin with the bucket.
    elsewhere = {"s3": {"addressing_style": "path"}, "request_checksum_calculation": "when_required"}
    chosen = config.Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"mode": "standard", "total_max_attempts": TRIES},
        max_pool_connections=CONNECTIONS,
        **(elsewhere if endpoint else {}),
    )
    try:
        client = session.Session().client("s3", region_name=region, endpoint_url=endpoint, config=chosen)
    except errors.BotoCoreError as error:
        raise refusal(error, None) from None
    client.meta.events.register("before-send.s3", _before_send)
    if endpoint:
        client.meta.events.register("before-call.s3", _stay)
    return client


def _before_send(**event: Any) -> None:
    """Let no attempt leave that nobody waits for any more."""
    require_awaited()


def _stay(params: dict[str, Any], **event: Any) -> None:
    """Systems that are like S3 have no other regions. boto3 asks one that sends on for the bucket's, is sent on with
    that too, and asks again, until Python has enough."""
    params.get("context", {}).setdefault("s3_redirect", {})["redirected"] = True


def _errors() -> Any:  # as above
    return _module("botocore.exceptions")


def _module(name: str) -> Any:  # without types of its own
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError:
        raise BackendUnready(
            "Backends in S3 need boto3, which is not installed.",
            next='A person runs `pip install "crossfade[s3]"` where Crossfade runs, and starts it again.',
        ) from None


_AGAIN = "Repeat the call; if it stays so, look at that system."
_UNREACHED = (
    "S3 gave no whole answer, so whether it did anything is not known.",
    "See that it can be reached from here, then repeat the call, which looks first at what is there.",
    True,
)
_UNKNOWN = (
    "No valid credentials for S3 were found.",
    "A person sets them as for any AWS client (a role, a profile, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY), and "
    "starts Crossfade again.",
    False,
)
_DENIED = (
    "S3 does not let these credentials do that.",
    "A person allows them s3:GetObject and s3:PutObject on the objects, and s3:ListBucket on the bucket.",
    False,
)
_NO_BUCKET = (
    "There is no such bucket.",
    "Correct the setting `bucket` in the catalogue, or a person makes the bucket.",
    False,
)
_REGION = (
    "The bucket is in another region, or no region is set.",
    "Set `region` in the backend's settings to the bucket's.",
    False,
)
_SENT_ON = ("The system sends on to another address.", "Set `endpoint` to the address that answers itself.", False)
_SETTINGS = ("S3 cannot be called with these settings.", "Correct the backend's settings in the catalogue.", False)
_BUSY = ("S3 asks for fewer calls.", "Wait, then repeat the call.", True)
_UNABLE = (
    "This system cannot write on a condition, so it cannot keep writers apart.",
    "Name another system: it has to know If-Match and If-None-Match on a write, as S3 does.",
    False,
)
_REFUSALS: Mapping[str, tuple[str, str, bool]] = {
    **dict.fromkeys(("AccessDenied", "AllAccessDisabled", "403"), _DENIED),
    **dict.fromkeys(("NoSuchBucket",), _NO_BUCKET),
    **dict.fromkeys(("SlowDown", "ServiceUnavailable", "RequestLimitExceeded", "ThrottlingException", "503"), _BUSY),
    **dict.fromkeys(("InternalError", "500", "502", "504", "RequestTimeout"), ("S3 failed by itself.", _AGAIN, True)),
    **dict.fromkeys(
        (
            *("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "TokenRefreshRequired"),
            *("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "ProfileNotFound"),
            *(
                "SSOTokenLoadError",
                "UnauthorizedSSOTokenError",
                "TokenRetrievalError",
                "RefreshWithMFAUnsupportedError",
            ),
        ),
        _UNKNOWN,
    ),
    **dict.fromkeys(("PermanentRedirect", "AuthorizationHeaderMalformed", "NoRegionError", "301"), _REGION),
    **dict.fromkeys(("ParamValidationError", "InvalidBucketName", "InvalidRegionError", "InvalidEndpoint"), _SETTINGS),
    **dict.fromkeys(("NotImplemented", "501"), _UNABLE),
}


def refusal(error: Exception, bucket: Bucket | None) -> BackendFailed:
    """Our words for what S3 refused, or for why it was not asked; its own code is only in `got`."""
    code, status = _code(error), _status(error)
    otherwise = ("S3 refused the call.", "See its reason in `got`.", False)
    if status is None:
        otherwise = _UNREACHED
    elif status >= 500:
        otherwise = ("S3 failed by itself.", _AGAIN, True)
    elif status == 404:
        otherwise = ("There is no S3 at this address.", "Correct the setting `endpoint` in the catalogue.", False)
    message, then, retryable = _REFUSALS.get(code, otherwise)
    page = code == "301" or code not in _REFUSALS
    if bucket is not None and bucket.endpoint and page and status is not None and 300 <= status < 400:
        message, then, retryable = _SENT_ON
    got: JsonObject = {"reason": code if re.fullmatch(r"[A-Za-z0-9._-]{1,100}", code) else "not a code of S3"}
    if bucket is not None:
        got["bucket"] = bucket.name
    failure = _kind(error, (message, then, retryable))
    return failure(message, next=then, got=got, retryable=retryable)


def _kind(error: Exception, words: tuple[str, str, bool]) -> type[BackendFailed]:
    if _status(error) is None and words == _UNKNOWN:
        return BackendUnready  # nothing was sent
    return BackendDenied if words in (_UNKNOWN, _DENIED) else BackendFailed


def _code(error: Exception) -> str:
    """S3's code of an answer that is a failure, else the kind of what happened here."""
    answer = _answer(error)
    return str(answer.get("Error", {}).get("Code", "")) if answer else type(error).__name__


def _status(error: Exception) -> int | None:
    """The HTTP status; None where no answer came."""
    answer = _answer(error)
    return int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 400)) if answer else None


def _answer(error: Exception) -> dict[str, Any]:
    return getattr(error, "response", None) or {}
