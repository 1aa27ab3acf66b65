"""Pipeline files from bytes to documents."""

from __future__ import annotations

from policy_engine.yaml_ahead import ParsedAhead
from policy_engine.yaml_document import parse_yaml

FILES = ParsedAhead(parse_yaml)
