"""HTTP, done once for every backend that speaks it."""

from .client import Answer, HttpClient
from .failures import without_secrets
from .secrets import secret, secret_problem

__all__ = ["Answer", "HttpClient", "secret", "secret_problem", "without_secrets"]
