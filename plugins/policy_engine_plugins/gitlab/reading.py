"""Pipeline files from bytes to documents, and the header that some of them have."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from policy_engine.yaml_document import YamlDocument, YamlFile, parse_yaml


@lru_cache(maxsize=1024)
def parse(data: bytes, path: str) -> YamlFile:
    """Files are parsed to see what belongs together, and again to be judged; GitLab reads them as YAML 1.1."""
    return parse_yaml(data, path, yaml_1_1=True)


def split(parsed: YamlFile) -> tuple[YamlDocument | None, YamlDocument | None]:
    """The header (`spec:`) of a file, if it has one, and the document that holds its jobs."""
    documents = parsed.documents
    if documents and _is_header(documents[0].value):
        return documents[0], documents[1] if len(documents) > 1 else None
    return None, documents[0] if documents else None


def _is_header(value: Any) -> bool:
    return isinstance(value, dict) and "spec" in value and set(value) <= {"spec"}
