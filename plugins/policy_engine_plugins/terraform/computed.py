"""Which attributes of which data sources are computed here. Apart from the computing, which few modules need."""

from __future__ import annotations

POLICY_DOCUMENT = "data.aws_iam_policy_document"


def computes(attribute: str) -> bool:
    return attribute in ("json", "minified_json")
