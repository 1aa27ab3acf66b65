"""Text of strangers: escaped for the place it lands in, and without secrets."""

from __future__ import annotations

import pytest

from policy_engine.escape import code_span, for_markdown, for_terminal, for_workflow_command, for_xml
from policy_engine.redaction import redact

COMMIT = "11bd71901bbe5b1630ceea73d27597364c9af683"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 漢", "plain é 漢"),
        ("a\nb\tc", "a\\nb c"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("a\u202eb\u200bc", "a\\u202eb\\u200bc"),
        ("\udcff.tf", "\\udcff.tf"),
        ("\x9b31m", "\\x9b31m"),
    ],
)
def test_nothing_steers_a_terminal(text: str, shown: str) -> None:
    assert for_terminal(text) == shown


@pytest.mark.parametrize(
    "text", ["<img src=x>", "[a](javascript:x)", "**b** `c` | d", "@team", "![i](u)", "a\n# b", "&lt;"]
)
def test_markdown_and_html_are_only_text(text: str) -> None:
    assert not set(for_markdown(text)) & set("<>`*|[]()!@\n")


def test_a_code_span_survives_backticks_and_bars() -> None:
    assert code_span("a`b``c") == "```a`b``c```"
    assert code_span("`x`") == "`` `x` ``"
    assert code_span("a|b\nc") == "`a\\|b\\nc`"


def test_xml_holds_only_its_own_characters() -> None:
    assert for_xml("a\x00b\x1bc\ufffe\ud800 é\n<") == "a\\x00b\\x1bc\\ufffe\\ud800 é\n<"


def test_workflow_commands_stay_on_their_line() -> None:
    assert for_workflow_command("a\n::error::b%") == "a%0A::error::b%25"
    assert for_workflow_command("a:b,c", in_property=True) == "a%3Ab%2Cc"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('password = "hunter2abc"', 'password = "****"'),
        ("password: changeme", "password: ****"),
        ("  id: AKIAIOSFODNN7EXAMPLE", "  id: ****"),
        ("url: postgres://u:pw123@host/db", "url: postgres://u:****@host/db"),
        ("t: ghp_0123456789abcdefghij0123456789abcdef", "t: ****"),
        ("blob: Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MGFiY2RlZkdISUpL", "blob: ****"),
        ('client_secret = "x8Q~abc.123-def"', 'client_secret = "****"'),
        ("-----BEGIN RSA PRIVATE KEY-----MIIE", "****"),
    ],
)
def test_secrets_are_masked(text: str, shown: str) -> None:
    assert redact(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "password = var.db_password",
        "password: ${{ secrets.DB_PASSWORD }}",
        f"uses: actions/checkout@{COMMIT} # v4",
        "secretName: web-tls",
        "kms_key_id = aws_kms_key.orders.arn",
        "automountServiceAccountToken: false",
        "enable_key_rotation = true",
        "image: web@sha256:9b2a3f4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708",
        'cidr_blocks = ["10.0.0.0/8", "0.0.0.0/0"]',
        "token_url: https://login.example/token",
    ],
)
def test_what_is_no_secret_stays_readable(text: str) -> None:
    assert redact(text) == text


def test_a_long_line_is_cut() -> None:
    assert len(redact("x " * 100_000)) < 4100
