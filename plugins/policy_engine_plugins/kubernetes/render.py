"""Renders a chart with helm, as it is and with marks, and leaves out templates that cannot be rendered, telling why."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import time
from collections.abc import Mapping, Sequence

from msgspec import Struct, field

from policy_engine.span import Location, Span
from policy_engine.unit import Problem
from policy_engine_plugins.kubernetes import tool
from policy_engine_plugins.kubernetes.chart_copy import FAILED_AT, ChartCopy
from policy_engine_plugins.kubernetes.template_lines import Mark, TemplateText, marks_of, read_template, sources_of

NAMESPACE = "release-namespace"
"""Stands for the namespace that the chart is installed into, which is not known."""
KUBERNETES_VERSION = "1.31.0"
_MAX_BROKEN = 10
_MAX_TIME_S = 25.0
_DOCUMENT = re.compile(r"^---\n# Source: (.+)\n", re.MULTILINE)
_RELEASE = re.compile(r"[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?")
# Without one of these a line that came out otherwise was changed by the marks: a checksum of another template.
_BY_CHANCE = re.compile(
    rb"\b(?:rand(?:Alpha|AlphaNum|Ascii|Numeric|Bytes|Int)|uuidv4|shuffle|htpasswd|bcrypt|encryptAES|now|ago"
    rb"|gen(?:CA|CAWithKey|PrivateKey|SelfSignedCert|SelfSignedCertWithKey|SignedCert|SignedCertWithKey))\b"
)
_NO_TEMPLATE = re.compile(r'no template "([^"]+)" associated')


class RenderedDocument(Struct, frozen=True):
    """A document that helm gave. `source` is its template's path in the copy; `marks` say where each line is from, the
    innermost place first; None where that is not known.
    """

    source: str
    text: str
    marks: Sequence[tuple[Mark, ...]] | None
    again: Mapping[int, str] = field(default_factory=dict)
    """Lines, counted from one, that came out otherwise when it was rendered again, as they then were: what a template
    makes up by chance, such as a password."""


class Rendered(Struct):
    """What came of a chart. `templates` are the paths in the copy that marks count through."""

    documents: list[RenderedDocument] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    templates: list[str] = field(default_factory=list)
    texts: list[list[str]] = field(default_factory=list)
    cuts: list[TemplateText] = field(default_factory=list)


def render(helm: str, copy: ChartCopy, value_files: Sequence[bytes]) -> Rendered:
    result = Rendered()
    names = [path for path in copy.files if "/templates/" in path]
    nonce = hashlib.sha256(b"\0".join(copy.files[path] for path in names)).hexdigest()[:12]
    marked: dict[str, bytes] = {}
    for path in names:
        text = copy.files[path].decode("utf-8", "replace")
        cut = read_template(text, nonce, len(result.templates))
        result.templates.append(path)
        result.texts.append(text.split("\n"))
        result.cuts.append(cut)
        if cut.marked is not None:
            marked[path] = cut.marked.encode("utf-8", "replace")
    with tempfile.TemporaryDirectory(prefix="policy-engine-") as folder:
        return _Rendering(helm, copy, folder, value_files, result, nonce, marked).run()


class _Rendering:
    def __init__(
        self,
        helm: str,
        copy: ChartCopy,
        folder: str,
        value_files: Sequence[bytes],
        result: Rendered,
        nonce: str,
        marked: dict[str, bytes],
    ) -> None:
        self.helm = helm
        self.copy = copy
        self.folder = folder
        self.result = result
        self.nonce = nonce
        self.marked = marked
        self.until = time.monotonic() + _MAX_TIME_S
        self.arguments = ["--namespace", NAMESPACE, "--kube-version", KUBERNETES_VERSION]
        for number, data in enumerate(value_files):
            with open(os.path.join(folder, f"values-{number}.yaml"), "wb") as stream:
                stream.write(data)
            self.arguments += ["--values", f"values-{number}.yaml"]
        self.release = copy.root.name if _RELEASE.fullmatch(copy.root.name) else "release"
        self.without_network = not tool.helm_asks_no_names(helm)

    def run(self) -> Rendered:
        self.copy.write(os.path.join(self.folder, "plain"))
        self.copy.write(os.path.join(self.folder, "marked"), self.marked)
        plain = self._render_plain()
        if plain is None:
            return self.result
        documents = _documents(plain, self.copy)
        marked = _documents(self._render_marked(), self.copy)
        by_source: dict[str, list[str]] = {}
        for source, text in marked:
            by_source.setdefault(source, []).append(text)
        of_source: dict[str, list[tuple[int, str]]] = {}
        for number, (source, text) in enumerate(documents):
            of_source.setdefault(source, []).append((number, text))
        marks: dict[int, Sequence[tuple[Mark, ...]]] = {}
        changed: dict[int, Mapping[int, str]] = {}
        for source, listed in of_source.items():
            with_marks = [text for text in by_source.get(source, ()) if self._says_something(text)]
            if len(with_marks) != len(listed):
                continue
            for (number, text), other in zip(listed, with_marks, strict=True):
                lines = text.split("\n")
                found = marks_of(other.split("\n"), lines, self.nonce)
                if found is not None:
                    marks[number] = sources_of(found[0], lines, self.result.cuts, self.result.texts)
                    changed[number] = found[1]
        by_chance = any(_BY_CHANCE.search(data) for path, data in self.copy.files.items() if "/templates/" in path)
        for number, (source, text) in enumerate(documents):
            again = changed.get(number, {}) if by_chance else {}
            self.result.documents.append(RenderedDocument(source, text, marks.get(number), again))
        return self.result

    def _says_something(self, text: str) -> bool:
        """Not only marks of what wrote nothing: helm gives no document for that."""
        return bool(re.sub(rf"#~{self.nonce}:\d+:\d+~", "", text).strip())

    def _template(self, chart: str) -> tool.Done:
        arguments = ["template", self.release, f"{chart}/chart", *self.arguments]
        done = tool.run(self.helm, arguments, self.folder, without_network=self.without_network)
        if "incompatible with Kubernetes" in done.error and "--kube-version" in self.arguments:
            # A chart for other versions is rendered for the one that this helm was made for.
            at = self.arguments.index("--kube-version")
            del self.arguments[at : at + 2]
            return self._template(chart)
        return done

    def _render_plain(self) -> str | None:
        for _ in range(_MAX_BROKEN):
            done = self._template("plain")
            if not done.error:
                return done.output.decode("utf-8", "replace")
            if not self._leave_out(done.error):
                return None
            if time.monotonic() > self.until:
                break
        message = "more of its templates cannot be rendered, so the chart is not evaluated"
        self.result.problems.append(Problem(self.copy.root.path, message))
        return None

    def _leave_out(self, error: str) -> bool:
        """Tells what helm says, and leaves the template out that it says it of; False where it is the whole chart."""
        helper = _NO_TEMPLATE.search(error)
        if helper is not None and self.copy.missing:
            names = ", ".join(f"'{each.name}'" for each in self.copy.missing)
            message = f"the chart cannot be rendered without its dependencies {names}; run `helm dependency build`"
            place = self.copy.missing[0]
            self.result.problems.append(Problem(place.document.path, message, place.span()))
            return False
        match = FAILED_AT.search(error)
        path = self.copy.source_of(match["file"]) if match is not None else None
        if match is None or path is None or path not in self.copy.files:
            message = f"the chart cannot be rendered: {_short(error)}"
            self.result.problems.append(Problem(self.copy.root.path, message, self.copy.root.document.at(("name",))))
            return False
        begun = re.search(r"started at [^:]+:(\d+)", error)
        line = int(begun.group(1) if begun is not None else match["line"] or 1)
        self.result.problems.append(self._problem(path, line, error))
        del self.copy.files[path]
        for kind in ("plain", "marked"):
            os.unlink(os.path.join(self.folder, kind, path))
        return True

    def _problem(self, path: str, line: int, error: str) -> Problem:
        source = self.copy.sources.get(path)
        message = f"cannot be rendered: {_short(error)}"
        if "nil pointer" in error or "execution error" in error or "required" in error:
            message += "; values that it needs may be given with --helm-values"
        if source is None:
            return Problem(self.copy.root.path, f"{path.partition('/charts/')[2]} {message}")
        lines = self.copy.files[path].decode("utf-8", "replace").split("\n")
        line = min(line, len(lines))
        return Problem(source, message, line_span(lines, line))

    def _render_marked(self) -> str:
        """With marks; a template whose marks do harm has none. Empty where it is not to be had."""
        for _ in range(_MAX_BROKEN):
            if time.monotonic() > self.until:
                return ""
            done = self._template("marked")
            if not done.error:
                return done.output.decode("utf-8", "replace")
            match = FAILED_AT.search(done.error)
            path = self.copy.source_of(match["file"]) if match is not None else None
            if path is None or self.marked.pop(path, None) is None:
                return ""
            with open(os.path.join(self.folder, "marked", path), "wb") as stream:
                stream.write(self.copy.files[path])
        return ""


def _documents(output: str, copy: ChartCopy) -> list[tuple[str, str]]:
    """Source in the copy, and text, of each document."""
    found = []
    matches = list(_DOCUMENT.finditer(output))
    ends = [*(match.start() for match in matches[1:]), len(output)]
    for match, end in zip(matches, ends, strict=False):
        text = output[match.end() : end]
        source = copy.source_of(match.group(1)) or match.group(1)
        found.append((source, text.strip("\n")))
    return found


def _short(error: str) -> str:
    text = re.sub(r"^.*?executing \"[^\"]*\" at ", "at ", error) if "error calling" not in error else error
    return text if len(text) <= 300 else text[:150] + " ... " + text[-145:]


def line_span(lines: Sequence[str], number: int) -> Span:
    """What is written in a line."""
    # To helm a line ends at \n alone.
    text = lines[number - 1].partition("\r")[0].rstrip() if 0 < number <= len(lines) else ""
    start = len(text) - len(text.lstrip()) + 1
    return Span(number, start, number, max(len(text) + 1, start))


def line_location(path: str, lines: Sequence[str], number: int) -> Location:
    return Location(path, line_span(lines, number))
