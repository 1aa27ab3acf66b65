"""IP network functions."""

from __future__ import annotations

import ipaddress

from policy_engine_plugins.terraform.functions.signature import MANY, Function, a_whole, function
from policy_engine_plugins.terraform.values import EvaluationError, ListValue, Value, to_text

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _network(text: Value) -> _Network:
    prefix = to_text(text)
    if "/" not in prefix or not prefix.rpartition("/")[2].isdecimal():
        raise EvaluationError("a network prefix like 10.0.0.0/8 is needed")
    try:
        return ipaddress.ip_network(_without_zeros(prefix), strict=False)
    except ValueError:
        raise EvaluationError("the network prefix is not valid") from None


def _without_zeros(prefix: str) -> str:
    """Terraform reads 010.0.0.0 as 10.0.0.0."""
    if ":" in prefix:
        return prefix
    address, slash, length = prefix.partition("/")
    return ".".join(part.lstrip("0") or part[-1:] for part in address.split(".")) + slash + length


def _host(prefix: Value, number: Value) -> str:
    network, at = _network(prefix), a_whole(number)
    if not -network.num_addresses <= at < network.num_addresses:
        raise EvaluationError("the network has no such host")
    return str(network[at])


def _subnet(prefix: Value, bits: Value, number: Value) -> str:
    network, extra, at = _network(prefix), a_whole(bits), a_whole(number)
    length = network.prefixlen + extra
    if extra < 0 or length > network.max_prefixlen:
        raise EvaluationError("the network cannot be extended by that many bits")
    if not 0 <= at < 1 << extra:
        raise EvaluationError("the network has no such subnet")
    base = int(network.network_address) + (at << (network.max_prefixlen - length))
    return f"{_address(network, base)}/{length}"


def _address(network: _Network, number: int) -> str:
    if network.version == 4:
        return str(ipaddress.IPv4Address(number))
    return str(ipaddress.IPv6Address(number))


def _subnets(prefix: Value, *bits: Value) -> Value:
    network = _network(prefix)
    at = int(network.network_address)
    result = []
    for extra_bits in bits:
        extra = a_whole(extra_bits)
        length = network.prefixlen + extra
        if extra < 1 or length > network.max_prefixlen:
            raise EvaluationError("the network cannot be extended by that many bits")
        size = 1 << (network.max_prefixlen - length)
        at = -(-at // size) * size
        if at + size > int(network.network_address) + network.num_addresses:
            raise EvaluationError("the network has not room for so many subnets")
        result.append(f"{_address(network, at)}/{length}")
        at += size
    return ListValue(result)


def _netmask(prefix: Value) -> str:
    network = _network(prefix)
    if network.version != 4:
        raise EvaluationError("only IPv4 networks have a netmask")
    return str(network.netmask)


def _contains(outer: Value, inner: Value) -> bool:
    network, text = _network(outer), to_text(inner)
    try:
        other = _network(text) if "/" in text else ipaddress.ip_network(text)
    except ValueError:
        raise EvaluationError("the address is not valid") from None
    if network.version != other.version:
        raise EvaluationError("an IPv4 and an IPv6 network cannot be compared")
    return other.network_address in network and other.broadcast_address in network


FUNCTIONS: dict[str, Function] = {
    "cidrcontains": function(2, 2, _contains),
    "cidrhost": function(2, 2, _host, weight=8),
    "cidrnetmask": function(1, 1, _netmask),
    "cidrsubnet": function(3, 3, _subnet, weight=8),
    "cidrsubnets": function(1, MANY, _subnets, weight=8),
}
