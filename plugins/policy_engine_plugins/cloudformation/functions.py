"""The intrinsic functions that compute from values alone. Each takes evaluated arguments."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from policy_engine.partial import PartialDict, PartialList
from policy_engine.unknown import Embedded, Unknown
from policy_engine_plugins.cloudformation.values import MAX_TEXT, NO_VALUE, combined, joined, text_of

MAX_ITEMS = 10_000
_MAX_SUBNETS = 256


def join(delimiter: Any, items: Any) -> Any:
    if type(items) is Unknown:
        return Unknown(items.reason, items.origin, items.refers_to, (None,))
    text = text_of(delimiter)
    if text is None or not isinstance(items, list):
        return Unknown("Fn::Join wants a delimiter and a list of texts")
    pieces: list[Any] = []
    for index, item in enumerate(items):
        if type(item) is Unknown and type(items) is PartialList:
            # It stands for any number of items: from here on nothing is known of the text.
            rest = Unknown(item.reason, item.origin, item.refers_to, (None,))
            return joined([*pieces, rest])
        pieces += [text, item] if index else [item]
    return joined(pieces)


def select(index: Any, items: Any) -> Any:
    for value in (items, index):
        if type(value) is Unknown:
            return value.member()
    text = text_of(index)
    if text is None or not text.isdecimal() or len(text) > 9 or not isinstance(items, list):
        return Unknown("Fn::Select wants an index and a list")
    if type(items) is PartialList:
        return items.at(int(text)) if items else Unknown("Fn::Select has nothing to choose from")
    return items[int(text)] if int(text) < len(items) else Unknown(f"Fn::Select {text}: the list is shorter")


def split(delimiter: Any, source: Any) -> Any:
    for value in (source, delimiter):
        if type(value) is Unknown:
            return value.member()
    text, by = text_of(source), text_of(delimiter)
    if text is None or not by:
        return Unknown("Fn::Split wants a delimiter and a text")
    if text.count(by) > MAX_ITEMS:
        return Unknown(f"Fn::Split gives more than {MAX_ITEMS} items")
    return text.split(by)


def length(value: Any) -> Any:
    if type(value) is Unknown:
        return value.member()
    if type(value) is PartialList:
        return combined([item for item in value if type(item) is Unknown])
    return len(value) if isinstance(value, list) else Unknown("Fn::Length wants a list")


def to_json(value: Any) -> Any:
    """Text that holds the document, at hand for whoever asks for a part of it."""
    if type(value) is Unknown:
        return Unknown(value.reason, value.origin, value.refers_to, (None,), present=True)
    if not isinstance(value, (dict, list)):
        return Unknown("Fn::ToJsonString wants a list or a mapping")
    text = json.dumps(value, default=lambda _: None, separators=(",", ":"))
    return Embedded(text, value) if len(text) <= MAX_TEXT else Unknown("the JSON text is too long")


def cidr(arguments: Sequence[Any]) -> Any:
    import ipaddress

    unknowns = [value for value in arguments if type(value) is Unknown]
    if unknowns:
        return combined(unknowns)
    texts = [text_of(value) for value in arguments]
    if not 2 <= len(texts) <= 3 or not all(text is not None for text in texts):
        return Unknown("Fn::Cidr wants a block, a count and the bits of each subnet")
    block, count, bits = texts[0], texts[1], texts[2] if len(texts) == 3 else "8"
    try:
        network = ipaddress.ip_network(str(block), strict=False)
        wanted, prefix = int(str(count)), network.max_prefixlen - int(str(bits))
    except ValueError as error:
        return Unknown(f"Fn::Cidr cannot be computed: {error}")
    if not 1 <= wanted <= _MAX_SUBNETS or not network.prefixlen <= prefix <= network.max_prefixlen:
        return Unknown("Fn::Cidr asks for subnets that the block does not hold")
    if wanted > 1 << (prefix - network.prefixlen):
        return Unknown("Fn::Cidr asks for more subnets than the block holds")
    step = 1 << (network.max_prefixlen - prefix)
    start = int(network.network_address)
    kind = type(network.network_address)
    return [f"{kind(start + number * step)}/{prefix}" for number in range(wanted)]


def plain(value: Any) -> Any:
    """A value that a function gave in a place where nothing is no value."""
    return None if value is NO_VALUE else value


def is_whole(value: Any) -> bool:
    return type(value) is not PartialDict and type(value) is not PartialList
