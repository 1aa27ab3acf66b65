"""What can go wrong, each with the place where it did."""

from __future__ import annotations

from policy_engine.span import Span


class PolicyEngineError(Exception):
    """Base of every error that is told to the user in one line.

    `path` is the file as the user would name it; `span` the place in it, where there is one.
    """

    def __init__(self, message: str, *, path: str | None = None, span: Span | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.span = span

    def __str__(self) -> str:
        if self.path is None:
            return self.message
        if self.span is None:
            return f"{self.path}: {self.message}"
        return f"{self.path}:{self.span.start_line}:{self.span.start_column}: {self.message}"


class ConfigError(PolicyEngineError):
    """Wrong usage or a wrong settings file; the run stops with exit code 2."""


class RuleError(PolicyEngineError):
    """A rule that cannot be used; the run stops with exit code 2."""


class PluginError(PolicyEngineError):
    """A plugin that cannot be used; the run stops with exit code 2, as a gate without its checks must not pass."""


class ParseError(PolicyEngineError):
    """A scanned file that cannot be understood; recorded as a problem, and the run ends incomplete (exit code 3)."""
