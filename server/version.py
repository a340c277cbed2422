"""The version that is installed."""

from importlib.metadata import PackageNotFoundError, version


def _installed() -> str:
    try:
        return version("crossfade")
    except PackageNotFoundError:  # run from a checkout that nobody installed
        return "0"


VERSION = _installed()
