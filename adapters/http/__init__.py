"""HTTP, done once for every backend that speaks it."""

from .certificates import Certificate
from .client import Answer, HttpClient
from .failures import without_secrets
from .secrets import secret, secret_problem

__all__ = ["Answer", "Certificate", "HttpClient", "secret", "secret_problem", "without_secrets"]
