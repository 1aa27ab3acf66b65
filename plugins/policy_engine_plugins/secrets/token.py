"""Tokens and keys that tell themselves by their form, and what verifies them without asking anybody.

Every pattern is linear: bounded repetition, no alternatives that match the same text in two ways.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from msgspec import Struct

from policy_engine_plugins.secrets import checksum
from policy_engine_plugins.secrets.found import CHECKSUM, FORM, MISMATCH, STRUCTURE, Found
from policy_engine_plugins.secrets.kind import KINDS
from policy_engine_plugins.secrets.placeholder import made_up

Judge = Callable[[str], "str | None"]
"""Gives the basis on which a match is a secret; None where it is none."""


class Token(Struct, frozen=True):
    """`marks`: texts of which one is in every file that has such a token. The secret is the pattern's first group, or
    all of the match."""

    kind: str
    marks: tuple[str, ...]
    pattern: str
    judge: Judge = lambda _value: FORM


def _ends_with_crc(value: str) -> str:
    if value.startswith("github_pat_"):
        return FORM
    body, check = value[4:-6], value[-6:]
    if len(value) != 40:
        return FORM
    return CHECKSUM if checksum.base62_crc32(body) == check else MISMATCH


def _gitlab(value: str) -> str:
    head, dot, tail = value.rpartition(".")
    if not dot or len(tail) != 9:
        return FORM
    return CHECKSUM if checksum.base36_crc32(f"{head}.{tail[:2]}") == tail[2:] else FORM


def _aws(value: str) -> str:
    return STRUCTURE if checksum.aws_account(value) is not None else FORM


def _pypi(value: str) -> str:
    text = value.removeprefix("pypi-")
    known = checksum.is_macaroon(text, b"pypi.org") or checksum.is_macaroon(text, b"test.pypi.org")
    return STRUCTURE if known else FORM


def _azure_storage(value: str) -> str | None:
    data = checksum.decoded(value)
    return STRUCTURE if data is not None and len(data) == 64 else None


def _discord(value: str) -> str | None:
    user = checksum.decoded(value.partition(".")[0])
    return STRUCTURE if user is not None and user.isdigit() and 15 <= len(user) <= 20 else None


def _artifactory(value: str) -> str | None:
    if value.startswith("AKCp"):
        return FORM
    data = checksum.decoded(value)
    return STRUCTURE if data is not None and data.startswith(b"reftkn:") else None


def _age(value: str) -> str:
    return CHECKSUM if checksum.is_bech32(value) else MISMATCH


def _web_token(value: str) -> str | None:
    header, payload, signature = value.split(".")
    head = checksum.json_object(header)
    if head is None or "alg" not in head or str(head["alg"]).lower() == "none" or len(signature) < 16:
        return None
    # An encrypted one (five parts) is no bearer of rights by itself.
    return STRUCTURE if checksum.json_object(payload) is not None else None


def _registry_login(value: str) -> str | None:
    data = checksum.decoded(value)
    if data is None or b":" not in data or not data.isascii() or not data.decode("ascii").isprintable():
        return None
    user, _, password = data.decode("ascii").partition(":")
    return STRUCTURE if user and len(password) >= 6 else None


_B, _E = r"(?<![A-Za-z0-9_])", r"(?![A-Za-z0-9_])"
TOKENS = (
    # In a presigned URL it only names who signed.
    Token(
        "aws-access-key-id",
        ("AKIA", "ASIA", "ABIA", "ACCA"),
        r"(?<!Credential=)" + _B + r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}" + _E,
        _aws,
    ),
    Token(
        "aws-secret-access-key",
        ("ecret", "SECRET", "aws", "AWS"),
        r"(?i:aws[\w.-]{0,20}(?:secret|sk)[\w.-]{0,20}|secret_?access_?key)"
        r"[\"'\]]{0,2}[ \t]{0,10}(?:=>|:=|=|:|,)[ \t]{0,10}[\"']?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])",
    ),
    Token(
        "azure-storage-key",
        ("AccountKey", "accountkey", "account_key", "ACCOUNT_KEY", "STORAGE_KEY", "SharedAccessKey"),
        r"(?i:account_?key|storage_key|SharedAccessKey)[\"']{0,1}[ \t]{0,5}[=:][ \t]{0,5}[\"']{0,1}"
        r"([A-Za-z0-9+/]{86}==)",
        _azure_storage,
    ),
    Token(
        "azure-shared-access-signature",
        ("sig=",),
        r"[?&](?:amp;)?(?:sv|se|sp|sr|st|spr|ss|srt)=[^\s\"'<>`]{1,400}?&(?:amp;)?sig=([A-Za-z0-9%+/]{40,90}(?:%3[dD]|=){0,2})",
    ),
    Token(
        "azure-client-secret",
        ("Q~",),
        r"(?<![A-Za-z0-9_~.-])([A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34})(?![A-Za-z0-9_~.-])",
    ),
    Token("google-api-key", ("AIza",), _B + r"AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"),
    Token("google-oauth-secret", ("GOCSPX-",), _B + r"GOCSPX-[A-Za-z0-9_-]{28}(?![A-Za-z0-9_-])"),
    Token("digitalocean-token", ("_v1_",), _B + r"do[opr]_v1_[0-9a-f]{64}" + _E),
    Token("databricks-token", ("dapi",), _B + r"dapi[0-9a-f]{32}(?:-[0-9])?" + _E),
    Token(
        "github-token",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
        _B + r"(?:gh[pousr]_[A-Za-z0-9]{36,251}|github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59})" + _E,
        _ends_with_crc,
    ),
    Token(
        "gitlab-token",
        ("glpat-", "gldt-", "glrt-", "glptt-", "glcbt-", "glft-", "glsoat-", "glimt-", "glagent-", "gloas-", "glffct-"),
        _B + r"gl(?:pat|dt|rt|ptt|cbt|ft|soat|imt|agent|oas|ffct)-[A-Za-z0-9_-]{20,300}"
        r"(?:\.[0-9a-z]{2}\.?[0-9a-z]{7}|\.[0-9a-z]{9})?(?![A-Za-z0-9_-])",
        _gitlab,
    ),
    Token("azure-devops-token", ("AZDO",), _B + r"[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}" + _E, lambda _value: STRUCTURE),
    Token("atlassian-token", ("ATATT3", "ATCTT3"), _B + r"AT[AC]TT3[A-Za-z0-9_=-]{40,400}(?![A-Za-z0-9_=-])"),
    Token("npm-token", ("npm_",), _B + r"npm_[A-Za-z0-9]{36}" + _E, _ends_with_crc),
    Token("pypi-token", ("pypi-",), _B + r"pypi-Ag[A-Za-z0-9_-]{70,1000}(?![A-Za-z0-9_-])", _pypi),
    Token(
        "artifactory-token",
        ("AKCp", "cmVmdGtu"),
        _B + r"(?:AKCp[A-Za-z0-9]{60,75}|cmVmdGtu[A-Za-z0-9]{50,70}={0,2})" + _E,
        _artifactory,
    ),
    Token(
        "registry-login",
        ('"auth"',),
        r"\"auth\"[ \t]{0,5}:[ \t]{0,5}\"([A-Za-z0-9+/]{8,400}={0,2})\"",
        _registry_login,
    ),
    Token(
        "basic-authorization",
        ("asic ",),
        r"(?i:authorization)[\"']?[ \t]{0,5}[:=,][ \t]{0,5}[\"']?(?i:basic)[ ]"
        r"([A-Za-z0-9+/]{8,400}={0,2})(?![A-Za-z0-9+/=])",
        _registry_login,
    ),
    Token("age-key", ("AGE-SECRET-KEY-1",), _B + r"AGE-SECRET-KEY-1[A-Z0-9]{58}" + _E, _age),
    Token(
        "slack-token",
        ("xox", "xapp-"),
        _B + r"(?:xox[abeoprs](?:\.xox[bp])?-[A-Za-z0-9]{1,14}-[A-Za-z0-9-]{16,250}|"
        r"xapp-[0-9]-[A-Za-z0-9]{5,20}-[0-9]{5,20}-[A-Za-z0-9]{32,100})(?![A-Za-z0-9-])",
    ),
    Token(
        "slack-webhook",
        ("hooks.slack.com",),
        r"hooks\.slack\.com/(?:services|workflows|triggers)/(T[A-Za-z0-9_]{6,14}/[A-Za-z0-9_]{6,20}/[A-Za-z0-9_/]{16,60})",
    ),
    Token(
        "discord-token",
        (".",),
        r"(?<![A-Za-z0-9_.-])([MNO][A-Za-z0-9_-]{22,28}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,45})(?![A-Za-z0-9_.-])",
        _discord,
    ),
    Token(
        "discord-webhook",
        ("/api/webhooks/",),
        r"discord(?:app)?\.com/api/(?:v[0-9]{1,2}/)?webhooks/([0-9]{15,20}/[A-Za-z0-9_-]{60,80})",
    ),
    Token("teams-webhook", (".webhook.office.com",), r"\.webhook\.office\.com/webhookb2/([A-Za-z0-9@/_-]{80,250})"),
    Token("telegram-token", (":AA",), r"(?<![A-Za-z0-9_:/-])([0-9]{8,10}:AA[A-Za-z0-9_-]{33})(?![A-Za-z0-9_-])"),
    Token("stripe-key", ("k_live_", "k_test_"), _B + r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,247}" + _E),
    Token("stripe-webhook-secret", ("whsec_",), _B + r"whsec_[A-Za-z0-9+/]{32,64}={0,2}" + _E),
    Token(
        "square-token",
        ("sq0", "EAAA"),
        _B + r"(?:sq0(?:atp-[A-Za-z0-9_-]{22}|csp-[A-Za-z0-9_-]{43})|EAAA[A-Za-z0-9_-]{60})(?![A-Za-z0-9_-])",
    ),
    Token("shopify-token", ("shpat_", "shpca_", "shppa_", "shpss_"), _B + r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}" + _E),
    Token("sendgrid-key", ("SG.",), _B + r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])"),
    Token("mailgun-key", ("key-",), r"(?<![A-Za-z0-9_-])key-[0-9a-f]{32}" + _E),
    Token(
        "mailgun-key",
        ("mailgun", "MAILGUN", "Mailgun"),
        r"(?<![A-Za-z0-9_-])[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}(?![A-Za-z0-9_-])",
    ),
    Token("mailchimp-key", ("-us",), _B + r"[0-9a-f]{32}-us[0-9]{1,2}" + _E),
    Token("twilio-key", ("SK",), _B + r"SK[0-9a-f]{32}" + _E),
    Token(
        "twilio-key",
        ("wilio", "TWILIO"),
        r"(?i:twilio[\w.-]{0,20}token)[\"'\]]{0,2}[ \t]{0,5}(?:=>|:=|=|:|,)[ \t]{0,5}[\"']?([0-9a-f]{32})" + _E,
    ),
    Token(
        "openai-key",
        ("T3BlbkFJ",),
        _B + r"sk-(?:[a-z]{2,10}-)?[A-Za-z0-9_-]{20,100}T3BlbkFJ[A-Za-z0-9_-]{20,100}(?![A-Za-z0-9_-])",
        lambda _value: STRUCTURE,  # the middle is "OpenAI" in base64
    ),
    Token("anthropic-key", ("sk-ant-",), _B + r"sk-ant-[a-z]{3,8}[0-9]{2}-[A-Za-z0-9_-]{40,200}(?![A-Za-z0-9_-])"),
    Token("huggingface-token", ("hf_", "api_org_"), _B + r"(?:hf|api_org)_[A-Za-z0-9]{34}" + _E),
    Token("vault-token", ("hvs.", "hvb.", "hvr."), _B + r"hv[sbr]\.[A-Za-z0-9_-]{24,300}(?![A-Za-z0-9_-])"),
    Token(
        "terraform-cloud-token", (".atlasv1.",), _B + r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_-]{60,70}(?![A-Za-z0-9_-])"
    ),
    Token(
        "doppler-token",
        ("dp.",),
        _B + r"dp\.(?:pt|st|ct|sa|scim|audit)\.(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,44}" + _E,
    ),
    Token(
        "datadog-key",
        ("atadog", "DD_", "dd_", "ATADOG"),
        r"(?i:(?:datadog|dd)[_.-]?(?:api|app|application)[_.-]?key)[\"'\]]{0,2}[ \t]{0,5}(?:=>|:=|=|:|,)[ \t]{0,5}"
        r"[\"']?([0-9a-f]{40}|[0-9a-f]{32})" + _E,
    ),
    Token(
        "new-relic-key",
        ("NRAK-", "NRII-", "NRBR-"),
        _B + r"NR(?:AK-[A-Z0-9]{27}|II-[A-Za-z0-9_-]{32}|BR-[0-9a-f]{19})" + _E,
    ),
    Token("grafana-token", ("glsa_",), _B + r"glsa_[A-Za-z0-9]{32}_[0-9a-fA-F]{8}" + _E),
    Token(
        "json-web-token",
        ("eyJ",),
        r"(?<![A-Za-z0-9_.-])(eyJ[A-Za-z0-9_-]{8,2000}\.eyJ[A-Za-z0-9_-]{8,6000}\.[A-Za-z0-9_-]{16,2000})(?![A-Za-z0-9_-])",
        _web_token,
    ),
)

_COMPILED: dict[str, re.Pattern[str]] = {}


def tokens(text: str) -> Iterator[Found]:
    for each in TOKENS:
        # Every text is asked for every mark: a plain loop takes a third of the time.
        for mark in each.marks:
            if mark in text:
                break
        else:
            continue
        pattern = _COMPILED.get(each.pattern)
        if pattern is None:
            pattern = _COMPILED[each.pattern] = re.compile(each.pattern)
        group = 1 if pattern.groups else 0
        for match in pattern.finditer(text):
            value = match[group]
            basis = each.judge(value)
            if basis is not None:
                yield Found(
                    KINDS[each.kind],
                    match.start(group),
                    match.end(group),
                    basis,
                    value,
                    _is_made_up(each.kind, value, basis),
                )


def _is_made_up(kind: str, value: str, basis: str) -> bool | str:
    if kind == "json-web-token":
        payload = checksum.json_object(value.split(".")[1]) or {}
        # The one that every tutorial shows.
        return payload.get("sub") == "1234567890" or made_up(value.split(".")[2])
    if kind in ("registry-login", "basic-authorization"):
        from policy_engine_plugins.secrets.assignment import password_made_up

        data = checksum.decoded(value) or b""
        return password_made_up(data.decode("ascii", "replace").partition(":")[2])
    if basis == CHECKSUM:
        return "example" in value.lower()
    return made_up(value)
