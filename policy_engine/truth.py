"""Truth in three values: what is not known is neither true nor false, and says why."""

from __future__ import annotations

from collections.abc import Iterable

from policy_engine.unknown import Unknown

Truth = bool | Unknown


def kleene_not(truth: Truth) -> Truth:
    return truth if type(truth) is Unknown else not truth


def kleene_all(answers: Iterable[Truth]) -> Truth:
    doubt: Truth = True
    for answer in answers:
        if answer is False:
            return False
        if answer is not True and doubt is True:
            doubt = answer
    return doubt


def kleene_any(answers: Iterable[Truth]) -> Truth:
    doubt: Truth = False
    for answer in answers:
        if answer is True:
            return True
        if answer is not False and doubt is False:
            doubt = answer
    return doubt
