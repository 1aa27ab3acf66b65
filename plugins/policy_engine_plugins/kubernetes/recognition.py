"""Which YAML and JSON files are Kubernetes manifests, told from their content."""

from __future__ import annotations

import re

from policy_engine_plugins.kubernetes import KUSTOMIZATIONS

_API_VERSION = re.compile(rb"""^["']?apiVersion["']?[ \t]*:""", re.MULTILINE)
_KIND = re.compile(rb"""^["']?kind["']?[ \t]*:""", re.MULTILINE)
# A kustomization need not say its kind.
_KUSTOMIZATION = re.compile(
    rb"""^["']?(?:resources|bases|components|patches\w*|\w+Generator|generators|helmCharts|images)["']?[ \t]*:""",
    re.MULTILINE,
)
_QUOTED_API_VERSION = re.compile(rb'"apiVersion"\s*:')
_QUOTED_KIND = re.compile(rb'"kind"\s*:')


def recognises(path: str, data: bytes) -> bool:
    """Whether the file is a manifest, or may belong to a chart: whether it does is known once all files are."""
    name = path.rpartition("/")[2]
    if name == "Chart.yaml":
        # With `{{` it is the template of one (a project generator's).
        return b"name" in data and b"{{" not in data
    if name in KUSTOMIZATIONS and _KUSTOMIZATION.search(data):
        return True
    if path.endswith((".tpl", ".tgz")):
        return True
    if b"{{" in data and "templates" in path.split("/")[:-1]:
        return True
    return recognises_manifest(path, data)


def recognises_manifest(path: str, data: bytes) -> bool:
    """Whether a document of the file is an object with `apiVersion` and `kind`, or is meant to be one but is broken."""
    if b"{{" in data and "templates" in path.split("/")[:-1]:
        # A chart's template says nothing before it is rendered. One without `{{` renders to itself, so it is read.
        return False
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        data = data.decode("utf-16", "replace").encode()
    data = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r", b"\n")
    if b"apiVersion" not in data or b"kind" not in data:
        return False
    if _API_VERSION.search(data) and _KIND.search(data):
        return True
    if data.lstrip()[:1] == b"{":
        return _is_json_object(data)
    return _has_indented_object(data, path)


def _is_json_object(data: bytes) -> bool:
    import json

    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        # Broken JSON, or YAML in braces: it is told what is wrong rather than passed over.
        return bool(_QUOTED_API_VERSION.search(data) and _QUOTED_KIND.search(data)) or _has_indented_object(data, "")
    return isinstance(value, dict) and "apiVersion" in value and "kind" in value


def _has_indented_object(data: bytes, path: str) -> bool:
    """For documents that are indented as a whole or written in braces. Other files mention both words, too (a chart's
    values, a playbook), so that only reading them can tell."""
    from policy_engine.yaml_document import YamlMapping, parse_yaml

    return any(
        type(document.value) is YamlMapping and "apiVersion" in document.value and "kind" in document.value
        for document in parse_yaml(data, path).documents
    )
