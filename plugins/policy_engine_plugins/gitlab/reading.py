"""Pipeline files from bytes to documents, and the header that some of them have."""

from __future__ import annotations

from typing import Any

from policy_engine.yaml_ahead import ParsedAhead
from policy_engine.yaml_document import YamlDocument, YamlFile, parse_yaml


def _parse(data: bytes, path: str) -> YamlFile:
    return parse_yaml(data, path, yaml_1_1=True)  # as GitLab reads them


FILES = ParsedAhead(_parse)


def split(parsed: YamlFile) -> tuple[YamlDocument | None, YamlDocument | None]:
    """The header (`spec:`) of a file, if it has one, and the document that holds its jobs."""
    documents = parsed.documents
    if documents and _is_header(documents[0].value):
        return documents[0], documents[1] if len(documents) > 1 else None
    return None, documents[0] if documents else None


def _is_header(value: Any) -> bool:
    return isinstance(value, dict) and "spec" in value and set(value) <= {"spec"}
