"""The catalogue of surfaces, metrics, attributes and backends, read from YAML files."""

from .source import YamlCatalogue

__all__ = ["YamlCatalogue"]
