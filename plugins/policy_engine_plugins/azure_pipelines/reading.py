"""Pipeline files from bytes to documents."""

from __future__ import annotations

from functools import lru_cache

from policy_engine.yaml_document import YamlFile, parse_yaml


@lru_cache(maxsize=1024)
def parse(data: bytes, path: str) -> YamlFile:
    """Files are parsed to see what belongs together, and again to be judged."""
    return parse_yaml(data, path)
