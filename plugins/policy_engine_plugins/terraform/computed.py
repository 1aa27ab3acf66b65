"""Which attributes of which data sources are computed here. Apart from the computing, which few modules need."""

from __future__ import annotations

POLICY_DOCUMENT = "aws_iam_policy_document"
_COMPUTED = {
    POLICY_DOCUMENT: frozenset({"json", "minified_json"}),
    "template_file": frozenset({"rendered"}),
    "local_file": frozenset({"content", "content_base64"}),
    "local_sensitive_file": frozenset({"content", "content_base64"}),
}


def computes(type_: str, attribute: str) -> bool:
    return attribute in _COMPUTED.get(type_, ())
