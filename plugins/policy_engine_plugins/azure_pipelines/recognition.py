"""Which YAML files are Azure pipelines or their templates, told from their content."""

from __future__ import annotations

_STEPS = (
    *(b"script:", b"bash:", b"powershell:", b"pwsh:", b"task:", b"checkout:", b"publish:", b"download:"),
    *(b"template:", b"reviewApp:", b"getPackage:", b"downloadBuild:"),
)
_ITEMS = {
    b"steps:": _STEPS,
    b"jobs:": (b"job:", b"deployment:", b"template:"),
    b"stages:": (b"stage:", b"template:"),
}
_OWN_KEYS = (b"pool:", b"trigger:", b"pr:", b"resources:", b"schedules:", b"parameters:", b"variables:")
_FOREIGN_KEYS = (b"apiVersion:", b"on:", b"runs:", b"pipelines:", b"image:", b"workflow:", b"include:", b"kind:")


def is_pipeline(data: bytes) -> bool:
    """Whether `steps`, `jobs` or `stages` at the top holds a list of what Azure calls so; or the file extends a
    template and has keys that only such pipelines have."""
    inside: tuple[bytes, ...] = ()
    found = own = extends = open_item = False
    for line in data.splitlines():
        text = line.lstrip(b" ")
        if not text or text[:1] == b"#":
            continue
        depth = len(line) - len(text)
        if depth == 0 and text[:1] != b"-":
            if text.startswith(_FOREIGN_KEYS):
                return False
            key = text.split(b" ")[0].rstrip()
            inside = _ITEMS.get(key, ())
            own = own or text.startswith(_OWN_KEYS)
            extends = extends or key == b"extends:"
        elif inside and text.startswith(b"- "):
            item = text[2:].lstrip(b" \"'")
            found = found or item.startswith(inside)
            open_item = open_item or item.startswith(b"${{")
            inside = ()
        elif extends and not found and text.startswith(b"template:"):
            found = True
    return found or (open_item and own)
