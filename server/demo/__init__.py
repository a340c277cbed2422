"""`crossfade demo`: the whole way from a hypothesis to running experiments, on the real server and the real files."""

from .run import run_demo

__all__ = ["run_demo"]
