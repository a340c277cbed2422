"""TLS: whom we trust, and the certificate that we show where a system asks for one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ...core.errors import BackendDenied, BackendFailed, BackendUnready

if TYPE_CHECKING:
    import ssl


class Certificate(NamedTuple):
    """Of a client: the files of its certificate and of its key, both PEM and the key without a passphrase."""

    file: str
    key: str


def trusting(certificate: Certificate | None) -> ssl.SSLContext:
    """What a connection is made with. Authorities are the usual ones, or those of SSL_CERT_FILE or SSL_CERT_DIR.

    Raises:
        BackendUnready: a file is missing or wrong.
    """
    import ssl

    import httpx

    try:
        context = httpx.create_ssl_context()
    except (OSError, ssl.SSLError) as error:
        raise BackendUnready(
            "The authorities that SSL_CERT_FILE or SSL_CERT_DIR names cannot be read.",
            next="A person corrects that environment variable and starts Crossfade again.",
            got=type(error).__name__,
        ) from None
    if certificate is None:
        return context
    try:
        context.load_cert_chain(certificate.file, certificate.key, password=_no_passphrase)
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        raise BackendUnready(
            "The client's certificate of this backend cannot be used.",
            next="A person sees that `certificate` and `certificate_key` name files that Crossfade may read, in PEM, "
            "which belong together, the key without a passphrase.",
            got=type(error).__name__,
        ) from None
    return context


def _no_passphrase() -> str:
    """Instead of a question on the terminal, which nobody would see."""
    raise ValueError


def refusal(system: str, setting: str, said: str) -> BackendFailed | None:
    """Our words for a handshake that failed, by what OpenSSL says of it; None when it is about something else."""
    if "CERTIFICATE_VERIFY_FAILED" in said:
        return BackendUnready(
            f"The certificate of {system} is not one that is trusted here.",
            next=f"See that `{setting}` has the name that the certificate is for; of an authority of your own, set "
            "SSL_CERT_FILE to its certificates for Crossfade and start it again.",
            got=said.rpartition("CERTIFICATE_VERIFY_FAILED]")[2].strip()[:200],
        )
    if "ALERT_CERTIFICATE" in said or "ALERT_BAD_CERTIFICATE" in said or "ALERT_UNKNOWN_CA" in said:
        return BackendDenied(
            f"{system} asks for a client's certificate, and does not take what it was shown.",
            next="A person gives this backend a valid one, or corrects the one it has.",
            got=said.partition("]")[0].lstrip("[")[:200],
        )
    return None
