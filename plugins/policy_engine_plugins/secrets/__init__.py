"""Secrets: in any text file, and written out where a reference belongs.

The format `text` takes every text file that gives a hint of a secret, beside the formats that understand it. Its
resources are of type `secret`:

kind         what it is: `github-token`, `private-key`, `password`
group        what it opens: `cloud`, `source-host`, `registry`, `key`, `database`, `url`, `chat`, `payment`, `mail`,
             `ai`, `store`, `monitoring`, `session`, `password`, `service`
basis        why it is taken for one: `checksum` and `structure` (verified: what such a key carries to prove itself),
             `form` (looks as they do), `mismatch` (looks so, but its checksum does not hold), `name` (assigned to a
             name of a secret)
verified     whether the basis is `checksum` or `structure`
confidence   `high`, `medium` or `low`
placeholder  whether it is a documented example or made up; unknown where some of it speaks for that and some against
encrypted    for a private key, whether a passphrase protects it
identity     the same for the same value wherever it stands; null where that would let the value be guessed

The value itself is in no resource. See docs/secrets.md.
"""

from __future__ import annotations

from collections.abc import Iterable

from policy_engine.check import Check, Judge, deferred
from policy_engine.format import Format
from policy_engine.hookspecs import hookimpl
from policy_engine.tree import Tree
from policy_engine.unit import Comment, Loaded, Unit

# Never text; their bytes are not even read.
BINARY = (
    *(".png", ".jpg", ".jpeg", ".gif", ".webp", ".ico", ".bmp", ".tif", ".tiff", ".avif", ".heic", ".psd", ".pdf"),
    *(".zip", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar", ".tar", ".jar", ".war", ".whl", ".deb", ".rpm"),
    *(".so", ".dll", ".dylib", ".exe", ".o", ".a", ".lib", ".class", ".pyc", ".pyd", ".wasm", ".node", ".bin"),
    *(".woff", ".woff2", ".ttf", ".otf", ".eot", ".mp3", ".mp4", ".mov", ".avi", ".mkv", ".webm", ".ogg", ".wav"),
    *(".flac", ".sqlite", ".sqlite3", ".db", ".parquet", ".npy", ".npz", ".pack", ".idx", ".mo", ".dmg", ".iso"),
)


class TextFormat(Format):
    name = "text"
    title = "Text files"
    resource_types = ("secret",)
    example_path = "settings.py"
    plain_text = True

    def claims(self, path: str) -> bool:
        return not path.lower().endswith(BINARY)

    def recognises(self, path: str, data: bytes) -> bool:
        from policy_engine_plugins.secrets.hint import hints

        return hints(path, data)

    def load(self, unit: Unit, tree: Tree) -> Loaded:
        from policy_engine_plugins.secrets.load import load

        return load(unit, tree)

    def comments(self, path: str, data: bytes) -> Iterable[Comment]:
        from policy_engine_plugins.secrets.comments import comments

        return comments(path, data)


@deferred
def plain_text_secret() -> Judge:
    from policy_engine_plugins.secrets.plain_text import judge

    return judge


@hookimpl
def register_formats() -> list[Format]:
    return [TextFormat()]


@deferred
def written_out_secret() -> Judge:
    from policy_engine_plugins.secrets.plain_text import judge_attribute

    return judge_attribute


@deferred
def printed_secret() -> Judge:
    from policy_engine_plugins.secrets.printed import judge

    return judge


@hookimpl
def register_checks() -> list[Check]:
    return [
        Check(
            "plain-text-secret",
            plain_text_secret,
            {
                "type": "object",
                "properties": {
                    "mapping": {
                        "type": "string",
                        "description": "path of the mapping, by names and indexes; `.` for the value itself",
                    },
                    "nested": {"type": "boolean", "description": "look into the mappings and lists in it, too"},
                    "except": {"type": "string", "description": "names that are none of a secret, as a pattern"},
                },
                "required": ["mapping"],
                "additionalProperties": False,
            },
            "no entry of a mapping that is named like a secret holds one written out",
        ),
        Check(
            "written-out-secret",
            written_out_secret,
            {
                "type": "object",
                "properties": {"path": {"type": "string", "description": "path of the attribute that is a secret"}},
                "required": ["path"],
                "additionalProperties": False,
            },
            "an attribute that is a secret is taken from elsewhere, not written out",
        ),
        Check(
            "printed-secret",
            printed_secret,
            {
                "type": "object",
                "properties": {
                    "script": {"type": "string", "description": "the attribute with the text of the `commands`"}
                },
                "required": ["script"],
                "additionalProperties": False,
            },
            "no command prints a variable that is named like a secret into the log",
        ),
    ]
