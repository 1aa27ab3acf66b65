"""What a new rule starts from."""

from __future__ import annotations

from string import Template

RULE = Template(
    """\
id: $id
title: State the good state here
severity: medium
controls: [$control]
rationale: >-
  Say what can go wrong, and for whom, when this does not hold.
targets:
  - format: $format
    resource: $resource
    require: {path: some_attribute, equals: true}
message: "{name} does not ..."
remediation: Say what to change, with the attribute's name.
references:
  - https://example.com/hardening-guidance
"""
)

EXAMPLES = Template(
    """\
# Each example says what must happen: `fail` and `unknown` list lines, `quiet` says the rule applies and finds nothing,
# `inapplicable` that it does not apply. One of each of the first three is needed for every format of the rule.
cases:
  - name: good
    code: |
      resource "$resource" "good" {
        some_attribute = true
      }
    quiet: true
  - name: bad
    code: |
      resource "$resource" "bad" {
        some_attribute = false
      }
    fail: [2]
  - name: undecided
    code: |
      variable "choice" {}
      resource "$resource" "undecided" {
        some_attribute = var.choice
      }
    unknown: [3]
"""
)
