"""Which YAML and JSON files are CloudFormation templates, told from their content."""

from __future__ import annotations

import json
import re
from typing import Any

_VERSION = re.compile(rb"""^["']?AWSTemplateFormatVersion["']?[ \t]*:""", re.MULTILINE)
_RESOURCES = re.compile(rb"""^["']?Resources["']?[ \t]*:""", re.MULTILINE)
_TYPE = re.compile(
    rb"""(?:^[ \t]+|[{,][ \t]*)["']?Type["']?[ \t]*:[ \t]*["']?[A-Za-z0-9]+::[A-Za-z0-9]""", re.MULTILINE
)
_OTHERS = re.compile(rb"""^["']?(?:apiVersion|openapi|swagger|on|jobs)["']?[ \t]*:""", re.MULTILINE)
_QUOTED_VERSION = re.compile(rb'"AWSTemplateFormatVersion"\s*:')
_QUOTED_TYPE = re.compile(rb'"Type"\s*:\s*"[A-Za-z0-9]+::[A-Za-z0-9]')
_QUOTED_RESOURCES = re.compile(rb'"Resources"\s*:\s*\{')
_TYPE_NAME = re.compile(r"[A-Za-z0-9]+::[A-Za-z0-9]+(?:::[A-Za-z0-9@_-]+)*")


def recognises(data: bytes) -> bool:
    """Whether the file is a template, or is meant to be one but is broken: its top level says which version of the
    language it is in, or holds resources whose types are CloudFormation's."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        data = data.decode("utf-16", "replace").encode()
    data = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r", b"\n")
    if data.lstrip()[:1] == b"{":
        return _is_json_template(data)
    if _OTHERS.search(data):
        return False
    return bool(_VERSION.search(data) or (_RESOURCES.search(data) and _TYPE.search(data)))


def _is_json_template(data: bytes) -> bool:
    hinted = _QUOTED_VERSION.search(data) or (_QUOTED_RESOURCES.search(data) and _QUOTED_TYPE.search(data))
    # Braces may hold YAML, which quotes nothing.
    if not hinted and (b'"Resources"' in data or b"Resources" not in data):
        return False
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return _is_meant_as_template(data)
    return isinstance(value, dict) and _is_template(value)


def _is_meant_as_template(data: bytes) -> bool:
    from policy_engine.yaml_document import parse_yaml

    documents = parse_yaml(data, "").documents
    if documents:
        return isinstance(documents[0].value, dict) and _is_template(documents[0].value)
    # Broken JSON is told rather than passed over.
    return bool(_QUOTED_VERSION.search(data[:2000]) or (_QUOTED_RESOURCES.search(data) and _QUOTED_TYPE.search(data)))


def _is_template(value: dict[str, Any]) -> bool:
    if "AWSTemplateFormatVersion" in value:
        return True
    resources = value.get("Resources")
    if not isinstance(resources, dict) or "apiVersion" in value:
        return False
    types = (entry.get("Type") for entry in resources.values() if isinstance(entry, dict))
    return any(isinstance(each, str) and _TYPE_NAME.fullmatch(each) for each in types)
