"""HTTP, done once for every backend that speaks it."""

from .certificates import Certificate
from .client import Answer, HttpClient
from .failures import without_secrets
from .secrets import SecretName, secret, secret_problem

__all__ = ["Answer", "Certificate", "HttpClient", "SecretName", "secret", "secret_problem", "without_secrets"]
