"""Comparisons of the rule language as tests of one value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from policy_engine.operators import MAX_MATCHED_TEXT, OPERATORS, SIMPLE_TYPES, Operator, listed, scalar
from policy_engine.partial import PartialDict, PartialList
from policy_engine.path import ABSENT
from policy_engine.pattern import Search, search_for
from policy_engine.truth import Truth
from policy_engine.unknown import Unknown

PRESENCE: Mapping[str, str] = {
    "exists": "the attribute is given and not null",
    "null": "the attribute is given as null",
    "empty": 'there is nothing in it: absent, null, "", [] or {}',
}
ValueTest = Callable[[Any], Truth]
Where = Callable[[Any], list[int]]


def _operator_test(name: str, operand: Any, *, ignore_case: bool) -> tuple[ValueTest, Where | None]:
    given = OPERATORS[name]
    negated = given.negation is not None
    operator: Operator = OPERATORS[given.negation] if given.negation else given
    if ignore_case:
        operand = _folded(operand)
    decide, partial, pinpoint = operator.test, operator.partial, operator.pinpoint
    assert decide is not None
    if_absent = operator.absent is not negated

    def general(value: Any) -> Truth:
        if value is ABSENT or value is None:
            return if_absent
        if type(value) is Unknown:
            if partial is not None and value.fragments:
                fragments = _folded(value.fragments) if ignore_case else value.fragments
                answer = partial(fragments, operand)
                if answer is not None:
                    return answer is not negated
            return value
        truth = decide(_folded(value) if ignore_case else value, operand)
        if type(truth) is Unknown:
            return truth
        return truth is not negated

    test: ValueTest = general
    if not ignore_case:
        # Most comparisons are of one text with others; what is left to do for it is little.
        if operator.name in ("equals", "in"):
            test = _quick_equality(general, operand if operator.name == "in" else [operand], negated=negated)
        elif operator.name == "contains":
            test = _quick_membership(general, listed(operand), negated=negated)
        elif operator.name == "matches":
            test = _quick_match(general, search_for(listed(operand)), negated=negated)

    def where(value: Any) -> list[int]:
        return list(pinpoint(_folded(value) if ignore_case else value, operand)) if pinpoint else []

    return test, where if pinpoint else None


def _plain_texts(wanted: Any) -> frozenset[Any] | None:
    """What texts, numbers and truth values are compared as; None where there is more among them."""
    if not isinstance(wanted, list) or not all(type(each) in SIMPLE_TYPES for each in wanted):
        return None
    return frozenset(map(scalar, wanted))


def _quick_equality(general: ValueTest, wanted: Any, *, negated: bool) -> ValueTest:
    texts = _plain_texts(wanted)
    if texts is None:
        return general

    def test(value: Any) -> Truth:
        if type(value) is str:
            return (value in texts) is not negated
        if type(value) is bool:
            return (scalar(value) in texts) is not negated
        return general(value)

    return test


def _quick_membership(general: ValueTest, wanted: Sequence[Any], *, negated: bool) -> ValueTest:
    texts = _plain_texts(list(wanted))
    if texts is None:
        return general

    def test(value: Any) -> Truth:
        if not isinstance(value, list):
            return general(value)
        found = False
        doubt: Unknown | None = None
        for item in value:
            if type(item) is str:
                found = found or item in texts
            elif type(item) is Unknown:
                doubt = item
            else:
                return general(value)
        return found is not negated if found or doubt is None else doubt

    return test


def _quick_match(general: ValueTest, search: Search, *, negated: bool) -> ValueTest:
    def test(value: Any) -> Truth:
        if type(value) is str and len(value) <= MAX_MATCHED_TEXT:
            return search(value) is not negated
        return general(value)

    return test


def _folded(value: Any) -> Any:
    if isinstance(value, str):
        return value.lower()
    if isinstance(value, (list, tuple)):
        # A format's own kind of list need not be made of items alone.
        folded = [_folded(item) for item in value]
        return PartialList(folded) if type(value) is PartialList else folded
    return value


def _exists(operand: bool) -> ValueTest:
    def test(value: Any) -> Truth:
        if type(value) is Unknown:
            return operand if value.present or value.fragments else value
        return (value is not ABSENT and value is not None) is operand

    return test


def _null(operand: bool) -> ValueTest:
    def test(value: Any) -> Truth:
        if type(value) is Unknown:
            return not operand if value.present or value.fragments else value
        return (value is None) is operand

    return test


def _empty(operand: bool) -> ValueTest:
    def test(value: Any) -> Truth:
        if type(value) is Unknown:
            return not operand if value.present or any(value.fragments) else value
        if type(value) is PartialList and value and not value.least:
            rest: Unknown = value[0]  # each unknown item may stand for none
            return rest.member()
        if type(value) is PartialDict and not value:
            return value.rest
        return (value is ABSENT or value is None or (isinstance(value, (str, list, dict)) and not value)) is operand

    return test


_PRESENCE_TESTS = {"exists": _exists, "null": _null, "empty": _empty}


def value_test(node: Mapping[str, Any]) -> tuple[ValueTest, Where | None] | None:
    """All comparisons of one condition as one test of a value, and where in a list value the deciding items are. None
    where it has no comparison."""
    tests: list[ValueTest] = []
    where: Where | None = None
    ignore_case = node.get("ignore_case", False)
    for key, operand in node.items():
        if key in PRESENCE:
            tests.append(_PRESENCE_TESTS[key](operand))
        elif key in OPERATORS:
            test, points = _operator_test(key, operand, ignore_case=ignore_case)
            tests.append(test)
            where = where or points
    if not tests:
        return None
    if "default" in node:
        default = node["default"]
        tests = [_defaulting(test, default) for test in tests]
    if len(tests) == 1:
        return tests[0], where
    return _all_of(tests), where


def _all_of(tests: Sequence[ValueTest]) -> ValueTest:
    """Every one of them, as `kleene_all` has it, without a generator for each value."""

    def test(value: Any) -> Truth:
        doubt: Truth = True
        for each in tests:
            answer = each(value)
            if answer is False:
                return False
            if answer is not True and doubt is True:
                doubt = answer
        return doubt

    return test


def _defaulting(test: ValueTest, default: Any) -> ValueTest:
    return lambda value: test(default if value is ABSENT or value is None else value)


def text_test(node: Mapping[str, Any], test: ValueTest) -> Callable[[str], Truth]:
    """A test that says the same of texts, and sooner where nothing is asked but whether the text is one of a few."""
    if len(node) == 2 and ("equals" in node or "in" in node):
        texts = _plain_texts([node["equals"]] if "equals" in node else node["in"])
        if texts is not None:
            return texts.__contains__
    return test
