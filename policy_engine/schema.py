"""Checks the product's own YAML files against their JSON Schemas, and tells mistakes with position and suggestion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from policy_engine.resource import AttributePath

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

    from policy_engine.yaml_document import YamlDocument

FOLDER = Path(__file__).parent / "schemas"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
BASE = "urn:policy-engine:schemas:"


def load_schema(name: str) -> Mapping[str, Any]:
    """A shipped schema by its short name: `rule`, `cases`, `settings`."""
    import json

    loaded: Mapping[str, Any] = json.loads((FOLDER / f"{name}.schema.json").read_text(encoding="utf-8"))
    return loaded


def checked_document(data: bytes, path: str, schema: Mapping[str, Any]) -> YamlDocument:
    """The one document of a file that has to be laid out as its schema says. Raises ConfigError with the place of the
    first mistake."""
    from policy_engine.errors import ConfigError
    from policy_engine.yaml_document import parse_yaml

    parsed = parse_yaml(data, path)
    if parsed.problems:
        raise ConfigError(parsed.problems[0].message, path=path, span=parsed.problems[0].span)
    if len(parsed.documents) != 1:
        raise ConfigError(f"the file holds one document, not {len(parsed.documents)}", path=path)
    document = parsed.documents[0]
    wrong = mistakes(document.value, schema)
    if wrong:
        place, message = wrong[0]
        raise ConfigError(message, path=path, span=document.at(place))
    return document


def mistakes(value: Any, schema: Mapping[str, Any]) -> list[tuple[AttributePath, str]]:
    """What is wrong with a document, each with the path of the wrong part, in the order of the document's paths."""
    from jsonschema import Draft202012Validator

    found: dict[tuple[AttributePath, str], None] = {}
    for error in Draft202012Validator(schema).iter_errors(value):
        for path, message in _tell(error):
            found[(path, message)] = None
    return sorted(found, key=lambda entry: ([str(step) for step in entry[0]], entry[1]))


def _tell(error: ValidationError) -> Iterator[tuple[AttributePath, str]]:
    from policy_engine.suggestion import suggest

    path: AttributePath = tuple(error.absolute_path)
    # The library types these as possibly unset, which they never are in an error that it yields.
    value: Any = error.instance
    wanted: Any = error.validator_value
    schema: Any = error.schema
    match error.validator:
        case "additionalProperties":
            known = list(schema.get("properties", {}))
            for key in value:
                if key not in known:
                    yield (*path, key), f"unknown key '{key}'{suggest(str(key), known)}"
        case "required":
            for key in wanted:
                if key not in value:
                    yield path, f"'{key}' is missing"
        case "enum":
            listed = ", ".join(map(str, wanted))
            yield path, f"{_show(value)} is none of {listed}{suggest(str(value), [str(each) for each in wanted])}"
        case "type":
            names = wanted if isinstance(wanted, list) else [wanted]
            yield path, f"{_show(value)} is not of type {' or '.join(names)}"
        case "anyOf" | "oneOf":
            # The alternative that went deepest is the one its author meant.
            inner = max(error.context or [], key=lambda each: len(each.absolute_path), default=None)
            if inner is None or len(inner.absolute_path) == len(error.absolute_path):
                yield path, f"{_show(value)} is of no form that is allowed here"
            else:
                yield from _tell(inner)
        case "pattern":
            yield path, schema.get("description", f"{_show(value)} does not match {wanted}")
        case "minItems" | "minLength" | "minProperties":
            yield path, "must not be empty"
        case _:
            yield path, error.message


def _show(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


_TEXT = {"type": "string", "minLength": 1}
_TEXTS = {"type": "array", "items": _TEXT, "minItems": 1}
_CONTROL = {
    "type": "string",
    "pattern": r"^A\.[5-8]\.\d{1,2}$",
    "description": "a control is written as in the 2022 edition, such as A.8.24",
}
_CONTROL_2013 = {
    "type": "string",
    "pattern": r"^A\.\d{1,2}\.\d{1,2}\.\d{1,2}$",
    "description": "a 2013 control is written as in that edition, such as A.10.1.1",
}
_ID = {
    "type": "string",
    "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$",
    "description": "an id is in kebab case: lower-case letters, digits and single hyphens",
}


def rule_schema() -> dict[str, Any]:
    """The schema of a rule file. Operators and heads come from the engine, so that the two cannot differ."""
    from policy_engine.condition import HEADS
    from policy_engine.operators import OPERATORS
    from policy_engine.rule import Severity
    from policy_engine.value_test import PRESENCE

    condition = {"$ref": "#/$defs/condition"}
    conditions = {"type": "array", "items": condition, "minItems": 1}
    shapes: dict[str, Any] = {
        "path": _TEXT,
        "all": conditions,
        "any": conditions,
        "not": condition,
        "every": _TEXT,
        "some": _TEXT,
        "none": _TEXT,
        "some_related": {"anyOf": [_TEXT, _TEXTS]},
        "every_related": {"anyOf": [_TEXT, _TEXTS]},
        "no_related": {"anyOf": [_TEXT, _TEXTS]},
        "check": _TEXT,
    }
    properties: dict[str, Any] = {name: {**shapes[name], "description": text} for name, text in HEADS.items()}
    properties |= {name: {"type": "boolean", "description": text} for name, text in PRESENCE.items()}
    for operator in OPERATORS.values():
        properties[operator.name] = {**operator.schema, "description": operator.description}
    properties |= {
        "default": {"description": "the provider's default: taken where the attribute is absent or null"},
        "ignore_case": {"type": "boolean", "description": "compare text without regard to case"},
        "where": {**condition, "description": "quantifiers look only at the items for which this holds"},
        "satisfies": {**condition, "description": "what an item or a related resource is asked for"},
        "on": {
            "type": "object",
            "description": "how related resources are linked: their attribute holds ours, or refers to this resource",
            "properties": {"theirs": _TEXT, "ours": _TEXT},
            "required": ["theirs"],
            "additionalProperties": False,
        },
        "with": {"type": "object", "description": "parameters of the named check"},
        "blame": {**_TEXT, "description": "the attribute that a finding points at, where it is not the compared one"},
    }
    target = {
        "type": "object",
        "description": "how the intent reads in one format",
        "properties": {
            "format": {**_TEXT, "description": "the input format: terraform, kubernetes, github ..."},
            "resource": {
                "anyOf": [_TEXT, _TEXTS],
                "description": "the resource type, or several that share the condition",
            },
            "when": {**condition, "description": "the rule applies only where this holds"},
            "require": {**condition, "description": "what must hold; a finding where it does not"},
            "message": {**_TEXT, "description": "overrides the rule's message for this target"},
            "remediation": {**_TEXT, "description": "overrides the rule's remediation for this target"},
        },
        "required": ["format", "resource", "require"],
        "additionalProperties": False,
    }
    return {
        "$schema": DIALECT,
        "$id": BASE + "rule",
        "title": "A policy-engine rule",
        "type": "object",
        "properties": {
            "id": _ID,
            "title": {**_TEXT, "description": 'states the good state: "Buckets are encrypted at rest"'},
            "severity": {"enum": [severity.value for severity in Severity]},
            "controls": {
                "type": "array",
                "items": _CONTROL,
                "minItems": 1,
                "uniqueItems": True,
                "description": "ISO/IEC 27001:2022 Annex A controls the rule gives evidence for, the closest first",
            },
            "controls_2013": {
                "type": "array",
                "items": _CONTROL_2013,
                "minItems": 1,
                "description": "only where the correspondence between the editions is too wide for this rule",
            },
            "rationale": {**_TEXT, "description": "why it matters"},
            "targets": {"type": "array", "items": target, "minItems": 1},
            "message": {
                **_TEXT,
                "description": "names what offends; may use {name}, {address}, {type}, {path}, {value}, {detail}",
            },
            "remediation": {**_TEXT, "description": "how to mend it"},
            "references": {"type": "array", "items": {"type": "string", "pattern": "^https://"}},
            "tags": {"type": "array", "items": _ID},
            "aliases": {"type": "array", "items": _ID, "description": "former ids"},
            "precision": {"enum": ["very-high", "high", "medium", "low"]},
            "sensitive": {"type": "boolean", "description": "the offending value is a secret and is never shown"},
        },
        "required": ["id", "title", "severity", "controls", "rationale", "targets", "message", "remediation"],
        "additionalProperties": False,
        "$defs": {
            "condition": {
                "type": ["object", "array"],
                "items": condition,
                "minItems": 1,
                "minProperties": 1,
                "properties": properties,
                "additionalProperties": False,
            }
        },
    }


def cases_schema() -> dict[str, Any]:
    """The schema of a rule's examples."""
    lines = {
        "type": "array",
        "items": {"type": "integer", "minimum": 0},
        "description": "0 stands for a file as a whole, and for one that is missing",
    }
    file = {
        "anyOf": [
            {"type": "string"},
            {
                "type": "object",
                "properties": {
                    "base64": {"type": "string", "description": "content that is no text"},
                    "size": {"type": "integer", "minimum": 0, "maximum": 1 << 26, "description": "so many zero bytes"},
                    "link": {"type": "string", "description": "a symbolic link, and what it leads to"},
                },
                "minProperties": 1,
                "maxProperties": 1,
                "additionalProperties": False,
            },
        ]
    }
    placed = {
        "anyOf": [lines, {"type": "object", "additionalProperties": lines}],
        "description": "line numbers in the example's file, or by file name where there are several",
    }
    case = {
        "type": "object",
        "properties": {
            "name": {"type": "string", "pattern": "^[a-z0-9_]+$", "description": "a name is in snake case"},
            "format": {**_TEXT, "description": "the input format, where the rule has targets for several"},
            "code": {"type": "string", "description": "the content of the one file of the example"},
            "today": {"type": "string", "description": "the day of the scan, for rules about waivers: 2027-01-31"},
            "changed": {
                "type": "array",
                "items": {"type": "string"},
                "description": "policy files that the change under review touches",
            },
            "files": {"type": "object", "additionalProperties": file, "minProperties": 1},
            "fail": {**placed, "description": "lines that must be reported, once for each finding"},
            "unknown": {**placed, "description": "lines that must be told undecided"},
            "quiet": {"const": True, "description": "the rule applies and finds nothing"},
            "inapplicable": {"const": True, "description": "the rule does not apply to anything in it"},
        },
        "required": ["name"],
        "additionalProperties": False,
    }
    return {
        "$schema": DIALECT,
        "$id": BASE + "cases",
        "title": "Examples that a policy-engine rule proves itself with",
        "type": "object",
        "properties": {"cases": {"type": "array", "items": case, "minItems": 1}},
        "required": ["cases"],
        "additionalProperties": False,
    }


def settings_schema() -> dict[str, Any]:
    """The schema of `.policy-engine.yaml`."""
    from policy_engine.rule import Severity

    severities = [severity.value for severity in Severity]
    selection = {
        "type": "object",
        "properties": {
            "ids": {**_TEXTS, "description": "rule ids; `*` stands for any characters"},
            "tags": _TEXTS,
            "controls": {**_TEXTS, "description": "2022 or 2013 control ids"},
            "severities": {"type": "array", "items": {"enum": severities}, "minItems": 1},
        },
        "minProperties": 1,
        "additionalProperties": False,
    }
    return {
        "$schema": DIALECT,
        "$id": BASE + "settings",
        "title": "Settings of policy-engine (.policy-engine.yaml)",
        "type": "object",
        "properties": {
            "frameworks": {**_TEXTS, "description": "control frameworks that reports speak of, the leading one first"},
            "exclude": {
                "type": "array",
                "items": _TEXT,
                "description": "files and folders that are not scanned, in the syntax of .gitignore",
            },
            "fail_on": {
                "enum": [*severities, "never"],
                "description": "the least severity that makes a scan fail",
            },
            "rules": {
                "type": "object",
                "properties": {
                    "paths": {**_TEXTS, "description": "folders of your own rules, relative to the settings file"},
                    "select": {**selection, "description": "only rules that match one of these; default: all"},
                    "ignore": {**selection, "description": "no rule that matches one of these"},
                    "severity": {
                        "type": "object",
                        "additionalProperties": {"enum": severities},
                        "description": "another severity for a rule, by id",
                    },
                },
                "additionalProperties": False,
            },
            "formats": {
                "type": "object",
                "additionalProperties": {"type": "object"},
                "description": "options of the formats, by the format's name; `policy-engine scan --help` lists them",
            },
            "waivers": {
                "type": "object",
                "properties": {
                    "warn_days": {
                        "type": "integer",
                        "minimum": 0,
                        "description": "so many days before a waiver ends, a scan tells it",
                    }
                },
                "additionalProperties": False,
            },
            "limits": {
                "type": "object",
                "properties": {
                    "max_file_bytes": {"type": "integer", "minimum": 1, "maximum": 1 << 30},
                    "timeout_s": {"type": "number", "exclusiveMinimum": 0, "description": "for one unit, in seconds"},
                },
                "additionalProperties": False,
            },
        },
        "additionalProperties": False,
    }


def waivers_schema() -> dict[str, Any]:
    """The schema of `.policy-engine/waivers.yaml`."""
    day = {"type": "string", "format": "date", "description": "a date such as 2027-01-31"}
    waiver = {
        "type": "object",
        "properties": {
            "rule": {**_TEXT, "description": "a rule's id; `*` stands for any characters"},
            "path": {**_TEXT, "description": "the files it covers; `*` stands for any characters"},
            "resource": {**_TEXT, "description": "address of the resource it covers; `*` stands for any characters"},
            "reason": {**_TEXT, "description": "why the risk is accepted"},
            "owner": {**_TEXT, "description": "who bears the risk"},
            "approver": {**_TEXT, "description": "who accepted it"},
            "ticket": {**_TEXT, "description": "where the decision is recorded"},
            "created": day,
            "expires": {**day, "description": "the last day on which it counts"},
        },
        "required": ["rule", "reason", "owner", "approver", "created", "expires"],
        "anyOf": [{"required": ["path"]}, {"required": ["resource"]}],
        "additionalProperties": False,
    }
    return {
        "$schema": DIALECT,
        "$id": BASE + "waivers",
        "title": "Accepted risks of a project (.policy-engine/waivers.yaml)",
        "type": "object",
        "properties": {"waivers": {"type": "array", "items": waiver}},
        "required": ["waivers"],
        "additionalProperties": False,
    }


def baseline_schema() -> dict[str, Any]:
    """The schema of `.policy-engine/baseline.yaml`."""
    text = {"type": "string"}
    known = {
        "type": "object",
        "properties": {
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
            **dict.fromkeys(("rule", "path", "resource", "message"), text),
        },
        "required": ["fingerprint", "rule", "path", "resource", "message"],
        "additionalProperties": False,
    }
    return {
        "$schema": DIALECT,
        "$id": BASE + "baseline",
        "title": "Findings of a project that are known from before (.policy-engine/baseline.yaml)",
        "type": "object",
        "properties": {"version": {"const": 1}, "findings": {"type": "array", "items": known}},
        "required": ["version", "findings"],
        "additionalProperties": False,
    }


GENERATED = {
    "rule": rule_schema,
    "cases": cases_schema,
    "settings": settings_schema,
    "waivers": waivers_schema,
    "baseline": baseline_schema,
}


def write_schemas() -> None:
    """Writes the generated schemas to the files that ship."""
    import json

    FOLDER.mkdir(exist_ok=True)
    for name, make in GENERATED.items():
        (FOLDER / f"{name}.schema.json").write_text(json.dumps(make(), indent=2) + "\n", encoding="utf-8")
