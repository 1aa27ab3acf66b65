"""Made-up secrets of many kinds, put together here so that none is written out anywhere.

They are drawn from a fixed seed and belong to nobody: the checksums hold, the accounts do not exist.
"""

from __future__ import annotations

import base64
import json
import random
import string
from dataclasses import dataclass

from policy_engine_plugins.secrets.checksum import base62_crc32

_draw = random.Random(20270101)
ALPHANUMERIC = string.ascii_letters + string.digits
URL_SAFE = ALPHANUMERIC + "-_"
HEXADECIMAL = "0123456789abcdef"


def drawn(count: int, alphabet: str = ALPHANUMERIC) -> str:
    return "".join(_draw.choice(alphabet) for _ in range(count))


@dataclass(frozen=True)
class Planted:
    """`text` is what a file has, `value` the secret in it."""

    kind: str
    group: str
    text: str
    value: str
    verified: bool = False
    path: str = "settings.py"


def _assigned(kind: str, group: str, value: str, name: str = "value", verified: bool = False) -> Planted:
    return Planted(kind, group, f'{name} = "{value}"\n', value, verified)


def with_checksum(prefix: str) -> str:
    body = drawn(30)
    return f"{prefix}{body}{base62_crc32(body)}"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def web_token() -> str:
    header = _encoded(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    payload = _encoded(json.dumps({"sub": drawn(12), "role": "admin"}).encode())
    return f"{header}.{payload}.{drawn(43, URL_SAFE)}"


def der(size: int) -> bytes:
    return b"\x30\x82" + size.to_bytes(2, "big") + _draw.randbytes(size)


def pem(label: str = "RSA PRIVATE KEY", data: bytes | None = None) -> str:
    body = base64.b64encode(der(600) if data is None else data).decode()
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"


def _age() -> str:
    letters = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
    prefix = "age-secret-key-"
    data = [_draw.randrange(32) for _ in range(52)]
    values = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix] + data + [0] * 6
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, term in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= term if top >> bit & 1 else 0
    check ^= 1
    data += [check >> 5 * (5 - i) & 31 for i in range(6)]
    return f"{prefix}1{''.join(letters[d] for d in data)}".upper()


def _account_key(account: int) -> str:
    number = (account << 7 | 0x55).to_bytes(6, "big") + _draw.randbytes(4)
    return base64.b32encode(number).decode()


def _planted() -> list[Planted]:
    aws_secret = drawn(40, ALPHANUMERIC + "/+")
    password = "tR7!" + drawn(9) + "z4"
    storage = base64.b64encode(_draw.randbytes(64)).decode()
    login = base64.b64encode(f"robot:{drawn(20)}".encode()).decode()
    macaroon = _encoded(b"\x02\x01\x08pypi.org\x02" + _draw.randbytes(90))
    snowflake = _encoded(str(_draw.randrange(2 * 10**17, 9 * 10**17)).encode())
    key = pem()
    body = "".join(key.splitlines()[1:-1])
    service = json.dumps({"type": "service_account", "private_key": pem("PRIVATE KEY")}, indent=1)
    pgp_data = b"\x95\x03\x98\x04" + _draw.randbytes(500)
    pgp = pem("PGP PRIVATE KEY BLOCK", pgp_data)
    openssh = b"openssh-key-v1\0" + b"\0\0\0\4none\0\0\0\4none" + _draw.randbytes(300)
    signature = drawn(43, ALPHANUMERIC + "%") + "%3D"
    slack_hook = f"T0{drawn(8, string.ascii_uppercase)}/B0{drawn(8, string.ascii_uppercase)}/{drawn(24)}"
    discord_hook = f"{drawn(18, '123456789')}/{drawn(68, URL_SAFE)}"
    npmrc, netrc, pypirc = drawn(36), drawn(16), drawn(18)
    return [
        _assigned("aws-access-key-id", "cloud", "AKIA" + _account_key(480_216_935_107), verified=True),
        _assigned("aws-secret-access-key", "cloud", aws_secret, "aws_secret_access_key"),
        Planted("azure-storage-key", "cloud", f'c = "AccountName=shop;AccountKey={storage};"\n', storage, True),
        Planted(
            "azure-shared-access-signature",
            "cloud",
            f'u = "https://shop.blob.core.windows.net/c?sv=2024-11-04&se=2027-01-01&sr=b&sig={signature}"\n',
            signature,
        ),
        _assigned("azure-client-secret", "cloud", f"{drawn(3)}8Q~{drawn(34)}"),
        _assigned("google-api-key", "cloud", "AIza" + drawn(35, URL_SAFE)),
        _assigned("google-oauth-secret", "cloud", "GOCSPX-" + drawn(28)),
        Planted("google-service-account-key", "cloud", service, service.split("-----")[2], True, "account.json"),
        _assigned("digitalocean-token", "cloud", "dop_v1_" + drawn(64, HEXADECIMAL)),
        _assigned("databricks-token", "cloud", "dapi" + drawn(32, HEXADECIMAL)),
        _assigned("github-token", "source-host", with_checksum("ghp_"), verified=True),
        _assigned("github-token", "source-host", f"github_pat_{drawn(22)}_{drawn(59)}"),
        _assigned("gitlab-token", "source-host", "glpat-" + drawn(20)),
        _assigned("azure-devops-token", "source-host", f"{drawn(76)}AZDO{drawn(4)}", verified=True),
        _assigned("atlassian-token", "source-host", f"ATATT3xFfGF0{drawn(180)}={drawn(8, '0123456789ABCDEF')}"),
        _assigned("npm-token", "registry", with_checksum("npm_"), verified=True),
        _assigned("pypi-token", "registry", f"pypi-{macaroon}", verified=True),
        _assigned("artifactory-token", "registry", "AKCp" + drawn(69)),
        Planted(
            "registry-login",
            "registry",
            f'{{"auths": {{"r.net": {{"auth": "{login}"}}}}}}\n',
            login,
            True,
            "config.json",
        ),
        Planted("npmrc-credential", "registry", f"//r.net/:_authToken={npmrc}\n", npmrc, path=".npmrc"),
        Planted(
            "pypirc-password", "registry", f"[pypi]\nusername = bot\npassword = {pypirc}\n", pypirc, path=".pypirc"
        ),
        Planted("private-key", "key", key, body, True, "server.pem"),
        Planted("private-key", "key", pem("OPENSSH PRIVATE KEY", openssh), "", True, "id_ed25519"),
        Planted("private-key", "key", pgp, "", True, "signing.asc"),
        _assigned("age-key", "key", _age(), verified=True),
        Planted("database-url", "database", f'u = "postgresql://shop:{password}@db.shop.net:5432/s"\n', password, True),
        Planted(
            "connection-string",
            "database",
            f'c = "Server=tcp:db.shop.net,1433;Database=s;User Id=shop;Password={password}x;Encrypt=True"\n',
            f"{password}x",
        ),
        Planted(
            "url-password",
            "url",
            f"git clone https://bot:{password}y@git.shop.net/a.git\n",
            f"{password}y",
            True,
            "b.sh",
        ),
        Planted("netrc-password", "url", f"machine git.shop.net login bot password {netrc}\n", netrc, path=".netrc"),
        _assigned("slack-token", "chat", f"xoxb-{drawn(12, '123456789')}-{drawn(13, '123456789')}-{drawn(24)}"),
        Planted("slack-webhook", "chat", f'h = "https://hooks.slack.com/services/{slack_hook}"\n', slack_hook),
        _assigned("discord-token", "chat", f"{snowflake}.{drawn(6)}.{drawn(38)}", verified=True),
        Planted("discord-webhook", "chat", f'h = "https://discord.com/api/webhooks/{discord_hook}"\n', discord_hook),
        _assigned("telegram-token", "chat", f"{drawn(10, '123456789')}:AA{drawn(33)}"),
        _assigned("stripe-key", "payment", "sk_live_" + drawn(24)),
        _assigned("stripe-webhook-secret", "payment", "whsec_" + drawn(32)),
        _assigned("square-token", "payment", "sq0atp-" + drawn(22)),
        _assigned("shopify-token", "payment", "shpat_" + drawn(32, HEXADECIMAL)),
        _assigned("sendgrid-key", "mail", f"SG.{drawn(22)}.{drawn(43)}"),
        _assigned("mailgun-key", "mail", "key-" + drawn(32, HEXADECIMAL)),
        _assigned("mailchimp-key", "mail", drawn(32, HEXADECIMAL) + "-us12"),
        _assigned("twilio-key", "mail", "SK" + drawn(32, HEXADECIMAL)),
        _assigned("openai-key", "ai", f"sk-proj-{drawn(48)}T3BlbkFJ{drawn(48)}", verified=True),
        _assigned("anthropic-key", "ai", f"sk-ant-api03-{drawn(93)}AA"),
        _assigned("huggingface-token", "ai", "hf_" + drawn(34, string.ascii_letters)),
        _assigned("vault-token", "store", "hvs." + drawn(92)),
        _assigned("terraform-cloud-token", "store", f"{drawn(14)}.atlasv1.{drawn(67)}"),
        _assigned("doppler-token", "store", f"dp.pt.{drawn(43)}"),
        _assigned("datadog-key", "monitoring", drawn(32, HEXADECIMAL), "DD_API_KEY"),
        _assigned("new-relic-key", "monitoring", "NRAK-" + drawn(27, string.ascii_uppercase + string.digits)),
        _assigned("grafana-token", "monitoring", f"glsa_{drawn(32)}_{drawn(8, HEXADECIMAL)}"),
        _assigned("json-web-token", "session", web_token(), verified=True),
        _assigned("password", "password", password + "!q", "db_password"),
        _assigned("generic-key", "password", drawn(40), "internal_api_token"),
    ]


PLANTED = _planted()
# Of vendors that the library alone knows.
LONG_TAIL = [
    _assigned("linear-api-key", "source-host", "lin_api_" + drawn(40)),
    _assigned("pulumi-api-token", "store", "pul-" + drawn(40, HEXADECIMAL)),
    _assigned("rubygems-api-token", "registry", "rubygems_" + drawn(48, HEXADECIMAL)),
    _assigned("figma-personal-access-token", "service", "figd_" + drawn(40)),
]
