"""Which database a URL names. Its password goes to the driver and nowhere else."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import urlencode

from ....core.errors import StoreUnavailable

_URL = re.compile(r"\s*(?:postgresql|postgres|postgresql\+psycopg)://(.*)", re.IGNORECASE | re.DOTALL)
_DEFAULTS = {
    "fallback_application_name": "crossfade",
    "connect_timeout": "10",  # seconds
    # A server that vanished is noticed within a minute, rather than after the two hours of most systems.
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
}


@dataclass(frozen=True)
class Address:
    """`string` is for the driver alone; `name` tells people the database, as in `shop on db.example.com`; `shown` is
    the URL without its password, which a person has in PGPASSWORD or ~/.pgpass."""

    string: str = field(repr=False)
    name: str
    shown: str
    password: str = field(repr=False, default="")

    def without_password(self, text: str) -> str:
        """What the driver says, which does not repeat the password, held to that."""
        return text.replace(self.password, "...") if self.password else text


def address_of(url: str) -> Address:
    """
    Raises:
        StoreUnavailable: the URL is none of PostgreSQL, or psycopg is not installed.
    """
    found = _URL.fullmatch(url.strip())
    if found is None:
        raise _wrong_url()
    try:
        from psycopg import ProgrammingError
        from psycopg.conninfo import conninfo_to_dict, make_conninfo
    except ImportError as error:
        raise StoreUnavailable(
            "The driver for PostgreSQL (psycopg) is not installed, or cannot be loaded.",
            next='Install it with: pip install "crossfade[postgresql]"; then start again.',
        ) from error
    try:
        given = {name: str(value) for name, value in conninfo_to_dict(f"postgresql://{found[1]}").items()}
    except ProgrammingError:  # without what it says: that may repeat the password
        raise _wrong_url() from None
    _require_parts(given)
    string = make_conninfo("", **{**_DEFAULTS, **given})
    place = [given.get("dbname") or given.get("user", ""), given.get("host") or given.get("hostaddr", "")]
    name = " on ".join(part for part in place if part) or "that the environment names"
    shown = urlencode({key: value for key, value in given.items() if "password" not in key}, safe="/")
    return Address(string, name, f"postgresql://?{shown}", given.get("password", ""))


def _require_parts(given: dict[str, str]) -> None:
    """A password whose `@` or `/` is not escaped ends where nobody meant it to, and its rest counts as host or name."""
    if not re.fullmatch(r"[\d,]*", given.get("port", "")) or any("@" in given.get(p, "") for p in ("host", "dbname")):
        raise _wrong_url()


def _wrong_url() -> StoreUnavailable:
    return StoreUnavailable(
        "CROSSFADE_DATABASE_URL is no URL of a PostgreSQL database.",
        next="Write it as postgresql://user:password@host:5432/name, with % escapes for special characters (@ is %40).",
    )
