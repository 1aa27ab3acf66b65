"""What a container runs with once Kubernetes has resolved it: its security context, and `$(NAME)` in its texts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from policy_engine.resource import AttributePath
from policy_engine.unknown import Unknown

INHERITED = ("runAsNonRoot", "runAsUser", "runAsGroup", "seccompProfile", "seLinuxOptions", "appArmorProfile")
"""What a container takes from its pod's security context unless its own says otherwise."""

SECURITY_CONTEXT = "securityContext"
_APP_ARMOR = "appArmorProfile"
_APP_ARMOR_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/"


def effective(container: Mapping[str, Any], pod: Mapping[str, Any]) -> dict[str, Any]:
    """The inherited settings that are set at all. A null is not set. `pod` is the pod's value, with its `metadata`."""
    found: dict[str, Any] = {}
    own, shared = container.get(SECURITY_CONTEXT), pod.get(SECURITY_CONTEXT)
    for key in INHERITED:
        value = _setting(own, key)
        if value is None:
            value = _setting(shared, key)
        if value is None and key == _APP_ARMOR:
            value = _annotated_profile(container, pod)
        if value is not None:
            found[key] = value
    return found


def effective_origin(container: Mapping[str, Any], pod: Mapping[str, Any], rest: AttributePath) -> AttributePath:
    """Where an effective setting is written: a path that begins with `pod`, or is the container's own."""
    key = rest[0] if rest else None
    if isinstance(key, str) and key in INHERITED and _setting(container.get(SECURITY_CONTEXT), key) is None:
        if _setting(pod.get(SECURITY_CONTEXT), key) is not None:
            return ("pod", SECURITY_CONTEXT, *rest)
        if key == _APP_ARMOR and _annotated_profile(container, pod) is not None:
            return ("pod", "metadata", "annotations", f"{_APP_ARMOR_ANNOTATION}{container.get('name')}")
    return (SECURITY_CONTEXT, *rest)


def _setting(context: Any, key: str) -> Any:
    if type(context) is Unknown:
        return context
    return context.get(key) if isinstance(context, dict) else None


def _annotated_profile(container: Mapping[str, Any], pod: Mapping[str, Any]) -> Any:
    """AppArmor profiles were annotations before Kubernetes 1.30, and are still honoured."""
    annotations = _setting(pod.get("metadata"), "annotations")
    text = _setting(annotations, f"{_APP_ARMOR_ANNOTATION}{container.get('name')}")
    if not isinstance(text, str):
        return text if type(text) is Unknown else None
    kind, _, profile = text.partition("/")
    if text == "runtime/default":
        return {"type": "RuntimeDefault"}
    if text == "unconfined":
        return {"type": "Unconfined"}
    return {"type": "Localhost", "localhostProfile": profile} if kind == "localhost" else None


def image_name(container: Mapping[str, Any]) -> str | None:
    """The last part of the image's path, without tag and digest; None where that is not known."""
    image = dict.get(container, "image") if isinstance(container, dict) else None
    if type(image) is Unknown:
        known = image.fragments[0] if image.fragments else None
        # What follows the colon is a tag, so that the name is known though the tag is not.
        image = known if known and (":" in known.rpartition("/")[2] or "@" in known) else None
    if not isinstance(image, str):
        return None
    return re.split("[:@]", image.partition("@")[0].rpartition("/")[2])[0]


# ---- $(NAME) --------------------------------------------------------------------------------------------------------

Pieces = tuple["str | None", ...]

_REFERENCE = re.compile(r"\$(?:\$|\(([^()]*)\))")
# Kubernetes adds variables for every service of the namespace.
_SERVICE_VARIABLE = re.compile(r"[A-Z0-9_]+_(?:SERVICE_HOST|SERVICE_PORT|PORT)(?:_[A-Z0-9_]+)?")
_MAX_PIECES = 64
_MAX_TEXT = 65536


def expand(container: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of the container whose texts hold `$(NAME)`, with it replaced: by the value of a variable of its `env`,
    by nothing known where that comes from elsewhere, and not at all where there is no such variable."""
    changed: dict[str, Any] = {}
    variables: dict[str, Pieces] = {}
    # An empty or absent list brings nothing; anything else, even one that is not known, may bring any name.
    from_elsewhere = container.get("envFrom") not in (None, [])
    listed = container.get("env")
    if isinstance(listed, list):
        replaced = [_expand_variable(item, variables, from_elsewhere) for item in listed]
        if any(new is not old for new, old in zip(replaced, listed, strict=True)):
            changed["env"] = replaced
    for key in ("command", "args"):
        texts = container.get(key)
        if isinstance(texts, list):
            replaced = [_expand_text(text, variables, from_elsewhere) for text in texts]
            if any(new is not old for new, old in zip(replaced, texts, strict=True)):
                changed[key] = replaced
    return changed


def _expand_variable(item: Any, variables: dict[str, Pieces], from_elsewhere: bool) -> Any:
    if not isinstance(item, dict) or not isinstance(item.get("name"), str):
        return item
    value = item.get("value")
    new = _expand_text(value, variables, from_elsewhere)
    if "valueFrom" in item or type(new) is Unknown:
        variables[item["name"]] = new.fragments or (None,) if type(new) is Unknown else (None,)
    else:
        variables[item["name"]] = (_text(new),)
    return item if new is value else {**item, "value": new}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _expand_text(text: Any, variables: Mapping[str, Pieces], from_elsewhere: bool) -> Any:
    if not isinstance(text, str) or "$(" not in text or len(text) > _MAX_TEXT:
        return text
    pieces: list[str | None] = []
    position = 0
    unknown_name = ""
    for match in _REFERENCE.finditer(text):
        pieces.append(text[position : match.start()])
        position = match.end()
        name = match.group(1)
        if name is None:
            pieces.append("$")
        elif name in variables:
            pieces.extend(variables[name])
            if None in variables[name]:
                unknown_name = unknown_name or name
        elif from_elsewhere or _SERVICE_VARIABLE.fullmatch(name):
            pieces.append(None)
            unknown_name = unknown_name or name
        else:
            pieces.append(match.group())
    pieces.append(text[position:])
    joined = _join(pieces)
    if len(joined) > _MAX_PIECES or sum(len(piece or "") for piece in joined) > _MAX_TEXT:
        # Variables of variables can grow without bound.
        return Unknown("the text is too long once its variables are filled in")
    if None not in joined:
        result = "".join(piece or "" for piece in joined)
        return text if result == text else result
    reason = f"$({unknown_name}) is filled in when the container starts"
    return Unknown(reason, None, (), joined if len(joined) > 1 else (), present=any(joined))


def _join(pieces: Iterable[str | None]) -> Pieces:
    joined: list[str | None] = []
    for piece in pieces:
        if piece == "":
            continue
        if piece is not None and joined and joined[-1] is not None:
            joined[-1] += piece
        else:
            joined.append(piece)
    return tuple(joined)
