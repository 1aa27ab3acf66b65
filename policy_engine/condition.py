"""Conditions of the rule language, compiled once into closures and evaluated in three-valued (Kleene) logic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec import Struct

from policy_engine.check import Check, Context, Doubt, Violation
from policy_engine.guard import MAX_REMEMBERED, MAX_REMEMBERED_TEXT, Guard, guard_of
from policy_engine.operators import find_unknown, same
from policy_engine.partial import PartialDict
from policy_engine.path import (
    ABSENT,
    PathError,
    Several,
    Steps,
    Wild,
    item_of,
    lookup,
    names_only,
    only_place,
    parse_path,
    places,
)
from policy_engine.resource import AttributePath, Resource
from policy_engine.shared_list import SharedList
from policy_engine.truth import Truth, kleene_all, kleene_any, kleene_not
from policy_engine.unknown import Unknown
from policy_engine.value_test import ValueTest, Where, text_test, value_test


class Witness(NamedTuple):
    """An attribute that made a condition come out as it did; `unknown` is what stood in the way, for undecided ones."""

    path: AttributePath
    detail: str = ""
    unknown: Unknown | None = None


class ItemGuard(NamedTuple):
    """Items of a list matter only where `accepts` takes the text that they have for `name`. Where none does, and all of
    them are known, the condition comes out as `otherwise`."""

    name: str
    accepts: Callable[[str], bool]
    otherwise: bool


class Condition(NamedTuple):
    """test     (value, context) -> True, False or the Unknown that keeps it from being decided
    witness  (value, context, truth) -> the attributes responsible, given that `test` came out as `truth` (True, False,
             or None for undecided). For a failure each witness is one flaw. Slower than `test`, for what is reported.
    decided_by  the attribute whose items alone decide it, where it has one
    items       what one of these must be to matter, where that is quickly told
    """

    test: Callable[[Any, Context], Truth]
    witness: Callable[[Any, Context, bool | None], Iterable[Witness]]
    decided_by: str | None = None
    items: ItemGuard | None = None


class ConditionError(ValueError):
    """A condition that cannot be compiled; `path` leads to the wrong part inside the condition."""

    def __init__(self, message: str, path: AttributePath) -> None:
        super().__init__(message)
        self.path = path


HEADS: Mapping[str, str] = {
    "path": "compares the value at a path",
    "all": "all of these conditions hold",
    "any": "at least one of these conditions holds",
    "not": "this condition does not hold",
    "every": "every item at a path satisfies a condition; nothing there satisfies it too",
    "some": "at least one item at a path satisfies a condition",
    "none": "no item at a path satisfies a condition",
    "some_related": "there is a resource of this type, linked to this one, that satisfies a condition",
    "every_related": "every linked resource of this type satisfies a condition",
    "no_related": "no linked resource of this type satisfies a condition",
    "check": "a named Python check finds nothing wrong",
}
QUANTIFIERS = ("every", "some", "none")
RELATED = ("some_related", "every_related", "no_related")
_WORTH_SORTING = 3
"""Fewer alternatives are tried one after the other as quickly as they are looked up."""


def _matches(answer: Truth, truth: bool | None) -> bool:
    return answer is truth if truth is not None else type(answer) is Unknown


def compile_condition(node: Any, checks: Mapping[str, Check], at: AttributePath = ()) -> Condition:
    """Compiles a condition as a rule file holds it; a list means `all`. Raises ConditionError.

    The shape (known keys, types of operands) has been checked against the rule schema; what a schema cannot say is
    checked here.
    """
    if isinstance(node, list):
        return _all([compile_condition(child, checks, (*at, i)) for i, child in enumerate(node)])
    heads = [key for key in node if key in HEADS]
    # Quantifiers may compare the item itself, and then carry operators but no `path`.
    if len(heads) != 1:
        found = "nothing" if not heads else " and ".join(f"'{head}'" for head in heads)
        raise ConditionError(f"a condition says exactly one of {', '.join(HEADS)}; found {found}", at)
    condition = _COMPILERS[heads[0]](node, heads[0], checks, at)
    if "blame" in node:
        condition = _blaming(condition, _path(node["blame"], (*at, "blame"), wild=False))
    return condition


def _path(text: str, at: AttributePath, *, wild: bool) -> Steps:
    try:
        steps = parse_path(text)
    except PathError as error:
        raise ConditionError(str(error), at) from None
    if not wild and any(isinstance(step, Wild) for step in steps):
        raise ConditionError(f"path '{text}' fans out; only every, some and none take '[]' and '*'", at)
    return steps


def _blaming(condition: Condition, steps: Steps) -> Condition:
    def witness(value: Any, context: Context, truth: bool | None) -> Iterator[Witness]:
        first = next(iter(condition.witness(value, context, truth)), Witness(()))
        path = next((path for path, _ in places(value, steps)), ())
        yield Witness(path, first.detail, first.unknown)

    return condition._replace(witness=witness)


def _tests(node: Mapping[str, Any], at: AttributePath) -> tuple[ValueTest, Where | None]:
    found = value_test(node)
    if found is None:
        raise ConditionError("a comparison is missing, such as 'equals' or 'exists'", at)
    return found


# --- comparisons ------------------------------------------------------------------------------------------------------


def _comparison(node: Mapping[str, Any], _head: str, _checks: Mapping[str, Check], at: AttributePath) -> Condition:
    steps = _path(node["path"], (*at, "path"), wild=False)
    test_value, where = _tests(node, at)

    # Nearly always there is a text, or nothing.
    absent = test_value(ABSENT)
    of_text = text_test(node, test_value)

    def general(value: Any) -> Truth:
        found = lookup(value, steps)
        if type(found) is Several:
            return kleene_all(test_value(each) for each in found)
        return absent if found is ABSENT else test_value(found)

    def test(value: Any, _context: Context) -> Truth:
        found = value
        for step in steps:  # as `lookup` does, without a call of it: from mapping to mapping
            if not isinstance(found, dict):
                return general(value)
            found = found.get(step, ABSENT)
            if found is ABSENT:
                return absent
        return of_text(found) if type(found) is str else test_value(found)

    witnesses = _witnesses(steps, test_value, where)
    if len(steps) != 1:
        return Condition(test, witnesses)
    name = steps[0]

    def of_mapping(value: Any, _context: Context) -> Truth:
        # One name asked of a mapping is by far the most frequent.
        if isinstance(value, dict):
            found = value.get(name, ABSENT)
            if type(found) is str:
                return of_text(found)
            return absent if found is ABSENT else test_value(found)
        return general(value)

    return Condition(of_mapping, witnesses)


def _witnesses(
    steps: Steps, test_value: ValueTest, where: Where | None
) -> Callable[[Any, Context, bool | None], Iterable[Witness]]:

    names = names_only(steps)

    def witness(value: Any, _context: Context, truth: bool | None) -> Iterable[Witness]:
        only = only_place(value, names) if names is not None else None
        if only is None:
            return of_each(value, truth)
        path, found = only
        return _pinpointed(path, found, where, truth) if _matches(test_value(found), truth) else ()

    def of_each(value: Any, truth: bool | None) -> Iterator[Witness]:
        for path, found in places(value, steps):
            if _matches(test_value(found), truth):
                yield from _pinpointed(path, found, where, truth)

    return witness


def _pinpointed(path: AttributePath, value: Any, where: Where | None, truth: bool | None) -> Sequence[Witness]:
    if truth is None:
        return (Witness(path, unknown=find_unknown(value)),)
    items = where(value) if where is not None and isinstance(value, list) else ()
    return [Witness((*path, index)) for index in items] if items else (Witness(path),)


# --- and, or, not -----------------------------------------------------------------------------------------------------


def _all(children: list[Condition]) -> Condition:
    if len(children) == 1:
        return children[0]
    tests = [child.test for child in children]

    def test(value: Any, context: Context) -> Truth:
        doubt: Truth = True
        for each in tests:
            answer = each(value, context)
            if answer is False:
                return False
            if answer is not True and doubt is True:
                doubt = answer
        return doubt

    def witness(value: Any, context: Context, truth: bool | None) -> Iterator[Witness]:
        if truth is True:
            # All of them made it true; authors put the one to look at last, or say `blame`.
            yield from children[-1].witness(value, context, True)
            return
        for child in children:
            if _matches(child.test(value, context), truth):
                yield from child.witness(value, context, truth)

    return Condition(test, witness)


def _any(children: list[Condition]) -> Condition:
    tests = [child.test for child in children]

    def test(value: Any, context: Context) -> Truth:
        doubt: Truth = False
        for each in tests:
            answer = each(value, context)
            if answer is True:
                return True
            if answer is not False and doubt is False:
                doubt = answer
        return doubt

    def witness(value: Any, context: Context, truth: bool | None) -> Iterator[Witness]:
        if truth is False:
            # None of the ways to be right was taken: one flaw, told at the first way.
            yield from _first(children[0].witness(value, context, False))
            return
        for child in children:
            if _matches(child.test(value, context), truth):
                yield from child.witness(value, context, truth)

    return Condition(test, witness)


def _any_by_text(children: list[Condition], guards: Sequence[Guard | None]) -> Condition:
    """`any` whose children mostly ask for a text of the same attribute (the name of a command): those that ask for
    another one do not hold, and are not asked."""
    names = Counter(guard.name for guard in guards if guard is not None and guard.accepts is not None)
    condition = _any(children)
    name, count = names.most_common(1)[0] if names else ("", 0)
    if count < _WORTH_SORTING:
        return condition
    sorted_: dict[str, Callable[[Any, Context], Truth]] = {}
    general = condition.test

    def test(value: Any, context: Context) -> Truth:
        text = value.get(name) if type(value) is dict else None
        if type(text) is not str:
            return general(value, context)
        of_text = sorted_.get(text)
        if of_text is None:
            asked = [
                child
                for child, guard in zip(children, guards, strict=True)
                if guard is None or guard.name != name or guard.accepts is None or guard.accepts(text)
            ]
            of_text = _any(asked).test
            if len(sorted_) < MAX_REMEMBERED and len(text) <= MAX_REMEMBERED_TEXT:
                sorted_[text] = of_text
        return of_text(value, context)

    return condition._replace(test=test)


def _first(witnesses: Iterable[Witness]) -> Iterator[Witness]:
    for found in witnesses:
        yield found
        return


def _compile_list(node: Mapping[str, Any], head: str, checks: Mapping[str, Check], at: AttributePath) -> Condition:
    children = [compile_condition(child, checks, (*at, head, i)) for i, child in enumerate(node[head])]
    return _all(children) if head == "all" else _any_by_text(children, [guard_of(child) for child in node[head]])


def _compile_not(node: Mapping[str, Any], head: str, checks: Mapping[str, Check], at: AttributePath) -> Condition:
    inner = compile_condition(node[head], checks, (*at, head))

    holds = inner.test

    def test(value: Any, context: Context) -> Truth:
        truth = holds(value, context)
        return truth if type(truth) is Unknown else not truth

    def witness(value: Any, context: Context, truth: bool | None) -> Iterable[Witness]:
        return inner.witness(value, context, None if truth is None else not truth)

    return Condition(test, witness)


# --- quantifiers ------------------------------------------------------------------------------------------------------


def _satisfies(node: Mapping[str, Any], checks: Mapping[str, Check], at: AttributePath) -> Condition:
    """What items must satisfy: a condition under `satisfies`, or comparisons of the item itself."""
    if "satisfies" in node:
        return compile_condition(node["satisfies"], checks, (*at, "satisfies"))
    test_value, where = _tests(node, at)

    def witness(value: Any, _context: Context, truth: bool | None) -> Iterable[Witness]:
        return _pinpointed((), value, where, truth)

    return Condition(lambda value, _context: test_value(value), witness)


def _is_closed(node: Any) -> bool:
    """Whether a condition looks at nothing but its value: no other resource, and no check, which may look anywhere."""
    if isinstance(node, list):
        return all(_is_closed(each) for each in node)
    if isinstance(node, dict):
        return not any(head in node for head in (*RELATED, "check")) and all(
            _is_closed(node[key]) for key in ("all", "any", "not", "where", "satisfies") if key in node
        )
    return True


def _plain_items(value: Any, names: Steps) -> Sequence[Any] | None:
    """What `places` gives for names that end in `[]`, where all is as plain as it nearly always is; else None."""
    for name in names:
        if type(value) is Unknown:
            return (value.member(),)
        if not isinstance(value, dict) or type(value) is PartialDict:
            return None
        try:
            value = value[name]
        except KeyError:
            return ()
    if type(value) is Unknown:
        return (item_of(value),)
    return value if isinstance(value, list) else None


def _may_matter(item: Any, name: str, wanted: Collection[str]) -> bool:
    """Whether an item may have one of the wanted texts for an attribute, or what is no text."""
    if type(item) is not dict:
        return True
    text = item.get(name)
    return text in wanted if type(text) is str else text is not None


def _accepted(texts: frozenset[str], accepts: Callable[[str], bool], known: dict[str, bool]) -> set[str]:
    """Those of the texts that a guard accepts. The names of commands are few, and come again and again."""
    found = set()
    for text in texts:
        answer = known.get(text)
        if answer is None:
            answer = accepts(text)
            if len(known) < MAX_REMEMBERED and len(text) <= MAX_REMEMBERED_TEXT:
                known[text] = answer
        if answer:
            found.add(text)
    return found


def _compile_quantifier(
    node: Mapping[str, Any], head: str, checks: Mapping[str, Check], at: AttributePath
) -> Condition:
    steps = _path(node[head], (*at, head), wild=True)
    if not any(isinstance(step, Wild) for step in steps):
        steps = (*steps, Wild.ITEMS)
    anchor = steps[: next(i for i, step in enumerate(steps) if isinstance(step, Wild))]
    plain = steps[:-1] if steps[-1] is Wild.ITEMS and all(type(step) is str for step in steps[:-1]) else None
    wanted = _satisfies(node, checks, at)
    where = compile_condition(node["where"], checks, (*at, "where")) if "where" in node else None

    def answer(item: Any, context: Context) -> Truth:
        """What the item says: for `every` whether it is right, for `some` and `none` whether it is one of those."""
        if where is None:
            return wanted.test(item, context)
        applies = where.test(item, context)
        if applies is False:
            return head == "every"
        truth = wanted.test(item, context)
        if head == "every":
            return kleene_any(iter((kleene_not(applies), truth)))
        return kleene_all(iter((applies, truth)))

    of_item = wanted.test if where is None else answer
    settles = head != "every"
    guard = guard_of(node.get("where")) or (guard_of(node.get("satisfies")) if settles else None)
    name, accepts = (guard.name, guard.accepts) if guard is not None and plain is not None else ("", None)
    accepted: dict[str, bool] = {}

    closed = _is_closed(node)
    own_name = object()

    def test(value: Any, context: Context) -> Truth:
        items = _plain_items(value, plain) if plain is not None else None
        if type(items) is not SharedList or not closed:
            return decide(items, value, context)
        known: Truth | None = items.answers.get(own_name)
        if known is None:
            known = items.answers[own_name] = decide(items, value, context)
        return known

    def decide(items: Sequence[Any] | None, value: Any, context: Context) -> Truth:
        if items is None:
            items = [item for _, item in places(value, steps)]
        elif accepts is not None:
            # Those with another text for the guarded attribute say what decides nothing.
            there, all_known = context.texts(items, name)
            wanted_texts = _accepted(there, accepts, accepted)
            if not all_known:
                items = [item for item in items if _may_matter(item, name, wanted_texts)]
            else:
                items = [item for item in items if item.get(name) in wanted_texts] if wanted_texts else ()
        found: Truth = not settles
        for item in items:
            truth = of_item(item, context)
            if truth is settles:
                found = truth
                break
            if type(truth) is Unknown and type(found) is not Unknown:
                found = truth
        return kleene_not(found) if head == "none" else found

    def witness(value: Any, context: Context, truth: bool | None) -> Iterator[Witness]:
        if (head, truth) in (("every", True), ("some", False), ("none", True)):
            yield Witness(next((path for path, _ in places(value, anchor)), ()))
            return
        deciding = None if truth is None else head != "every"
        for path, item in places(value, steps):
            text = item.get(name) if accepts is not None and type(item) is dict else None
            if accepts is not None and type(text) is str and not accepts(text):
                continue  # it says what decides nothing
            if not _matches(answer(item, context), deciding):
                continue
            if type(item) is Unknown:
                yield Witness(path, unknown=item)
                continue
            # An undecided `where` leaves the item's own truth decided: then the doubt is about the filter.
            if where is None or _matches(wanted.test(item, context), deciding):
                source = wanted
            else:
                source = where
            for found in source.witness(item, context, deciding):
                yield Witness(path + found.path, found.detail, found.unknown)

    alone = plain[0] if closed and plain is not None and len(plain) == 1 else None
    if not isinstance(alone, str):
        return Condition(test, witness)
    return Condition(test, witness, alone, ItemGuard(name, accepts, head != "some") if accepts is not None else None)


# --- related resources ------------------------------------------------------------------------------------------------


def _refers(unknown: Unknown, resource: Resource) -> Truth:
    """Whether a value that is not known derives from this resource. With no reference at all it may be anything."""
    if not unknown.refers_to:
        return unknown
    address = resource.address
    return any(address == target or address.startswith((target + "[", target + ".")) for target in unknown.refers_to)


def _linked(theirs: Any, ours: Any, other: Resource, resource: Resource) -> Truth:
    if isinstance(theirs, list):
        return kleene_any(_linked(item, ours, other, resource) for item in theirs)
    if isinstance(ours, list):
        return kleene_any(_linked(theirs, item, other, resource) for item in ours)
    if type(theirs) is Unknown:
        answer = _refers(theirs, resource)
        if answer is False and type(ours) is Unknown and set(theirs.refers_to) & set(ours.refers_to):
            return True  # Both derive from the same third resource.
        return answer
    if type(ours) is Unknown:
        return _refers(ours, other)
    if theirs in (ABSENT, None) or ours in (ABSENT, None):
        return False
    return same(theirs, ours)


def _compile_related(node: Mapping[str, Any], head: str, checks: Mapping[str, Check], at: AttributePath) -> Condition:
    types = [node[head]] if isinstance(node[head], str) else list(node[head])
    link = node.get("on")
    if link is None:
        raise ConditionError(f"'{head}' needs 'on', which says the attributes that link the two", at)
    theirs = _path(link["theirs"], (*at, "on", "theirs"), wild=False)
    ours = _path(link["ours"], (*at, "on", "ours"), wild=False) if "ours" in link else None
    wanted = compile_condition(node["satisfies"], checks, (*at, "satisfies")) if "satisfies" in node else None

    def test(value: Any, context: Context) -> Truth:
        resource = context.resource
        our_value = ABSENT if ours is None else lookup(resource.value, ours)

        def answers() -> Iterator[Truth]:
            for other in context.graph.of_type(types):
                linked = _linked(lookup(other.value, theirs), our_value, other, resource)
                if linked is False:
                    yield head == "every_related"
                    continue
                right = True if wanted is None else wanted.test(other.value, Context(other, context.graph))
                if head == "every_related":
                    yield kleene_any(iter((kleene_not(linked), right)))
                else:
                    yield kleene_all(iter((linked, right)))

        if head == "every_related":
            return kleene_all(answers())
        found = kleene_any(answers())
        return found if head == "some_related" else kleene_not(found)

    def witness(value: Any, context: Context, truth: bool | None) -> Iterator[Witness]:
        answer = test(value, context) if truth is None else None
        yield Witness((), unknown=answer if type(answer) is Unknown else None)

    return Condition(test, witness)


# --- named checks -----------------------------------------------------------------------------------------------------


def _compile_check(node: Mapping[str, Any], head: str, checks: Mapping[str, Check], at: AttributePath) -> Condition:
    name = node[head]
    check = checks.get(name)
    if check is None:
        from policy_engine.suggestion import suggest

        raise ConditionError(f"unknown check '{name}'{suggest(name, checks)}", (*at, head))
    parameters = node.get("with", {})
    function = check.function

    def test(value: Any, context: Context) -> Truth:
        doubt: Truth = True
        for result in function(value, parameters, context):
            if type(result) is Violation:
                return False
            if type(result) is Doubt and doubt is True:
                doubt = result.unknown
        return doubt

    def witness(value: Any, context: Context, truth: bool | None) -> Iterator[Witness]:
        for result in function(value, parameters, context):
            if type(result) is Violation and truth is False:
                yield Witness(result.path, result.detail)
            elif type(result) is Doubt and truth is None:
                yield Witness(result.path, unknown=result.unknown)
        if truth is True:
            yield Witness(())

    return Condition(test, witness)


_COMPILERS: Mapping[str, Callable[[Mapping[str, Any], str, Mapping[str, Check], AttributePath], Condition]] = {
    "path": _comparison,
    "all": _compile_list,
    "any": _compile_list,
    "not": _compile_not,
    **dict.fromkeys(QUANTIFIERS, _compile_quantifier),
    **dict.fromkeys(RELATED, _compile_related),
    "check": _compile_check,
}


class Requirement(Struct, frozen=True):
    """A compiled target: it applies where `when` holds, and then `require` must hold."""

    when: Condition | None
    require: Condition


def compile_target(when: Any, require: Any, checks: Mapping[str, Check], at: AttributePath = ()) -> Requirement:
    """Compiles both conditions of a target. Raises ConditionError with the path from the target."""
    return Requirement(
        None if when is None else compile_condition(when, checks, (*at, "when")),
        compile_condition(require, checks, (*at, "require")),
    )
