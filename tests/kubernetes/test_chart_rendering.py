"""Charts rendered by a real helm: what comes of them, and where it comes from."""

from __future__ import annotations

import gzip
import io
import subprocess
import tarfile
import textwrap
from pathlib import Path

import pytest
import yaml

from chart_reading import CHART, POD, by_address, files, load_all, shows, told, units_of
from policy_engine.finding import Outcome
from policy_engine.plugins import Plugins
from policy_engine.rulebook import Rulebook
from policy_engine.scan import scan
from policy_engine.settings import Selection, Settings
from policy_engine.tree import MemoryTree, WorkTree
from policy_engine.unknown import Unknown
from policy_engine_plugins.kubernetes import KubernetesFormat
from policy_engine_plugins.kubernetes.render import KUBERNETES_VERSION, NAMESPACE

CORPUS = Path(__file__).parent.parent / "corpus" / "charts"
HELPERS = """\
    {{- define "name" -}}
    {{- printf "%s-web" .Release.Name | trunc 63 | trimSuffix "-" }}
    {{- end }}
    {{- define "labels" -}}
    app: {{ .Chart.Name }}
    tier: front
    {{- end }}
    {{- define "security" -}}
    privileged: {{ .Values.privileged }}
    {{- with .Values.extra }}
    {{ toYaml . }}
    {{- end }}
    {{- end }}
"""
TEMPLATE = """\
    {{- if .Values.enabled -}}
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: {{ include "name" . }}
      namespace: {{ .Release.Namespace }}
      labels: {{- include "labels" . | nindent 8 }}
      annotations:
        checksum: {{ include (print .Template.BasePath "/config.yaml") . | sha256sum }}
        host: web.{{ .Release.Namespace }}.svc
    spec:
      replicas: {{ .Values.replicas }}
      template:
        metadata:
          labels:
            {{- include "labels" . | nindent 12 -}}
            {{- with .Values.podLabels }}
            {{- toYaml . | nindent 12 }}
            {{- end }}
        spec:
          {{- if .Values.hostNetwork }}
          hostNetwork: true
          {{- end }}
          containers:
            - name: {{ .Chart.Name }}
              image: "{{ .Values.image.name }}:{{ .Values.image.tag | default
                .Chart.AppVersion }}"
              securityContext:
                {{- include "security" . | nindent 16 }}
              resources:
                {{- toYaml .Values.resources | nindent 16 }}
              {{- range $name, $value := .Values.args }}
              # one for each
              args: ["{{ $name }}", {{ $value | quote }}]
              {{- end }}
    {{- end }}
"""
VALUES = """\
    enabled: true
    replicas: 2
    privileged: true
    hostNetwork: true
    extra:
      runAsUser: 0
      capabilities:
        add: [NET_ADMIN]
    podLabels: {team: red}
    image: {name: web, tag: ""}
    resources:
      requests:
        cpu: 1
      limits:
        memory: 1Gi
    args: {a: b}
"""
FILES = {
    "Chart.yaml": CHART + "appVersion: '7'\n",
    "values.yaml": VALUES,
    "templates/_helpers.tpl": HELPERS,
    "templates/web.yaml": TEMPLATE,
    "templates/config.yaml": """\
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: config}
        data:
          text: |
            key: {{ .Values.replicas }}
            a sentence
              more
          other: {{ .Values.image.name }}
    """,
}
CHECKSUM = 'checksum: {{ include (print .Template.BasePath "/config.yaml") . | sha256sum }}'
TO_YAML = "{{- toYaml .Values.resources | nindent 16 }}"
IMAGE = 'image: "{{ .Values.image.name }}:{{ .Values.image.tag | default'
CONTAINER = "Deployment/default/shop-web/containers/shop"


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        (("kind",), ("templates/web.yaml", 3, "kind: Deployment")),
        (("spec", "replicas"), ("templates/web.yaml", 12, "replicas: {{ .Values.replicas }}")),
        (("metadata", "labels", "tier"), ("templates/_helpers.tpl", 6, "tier: front")),
        (("metadata", "labels", "app"), ("templates/_helpers.tpl", 5, "app: {{ .Chart.Name }}")),
        (
            ("metadata", "annotations", "checksum"),
            (
                "templates/web.yaml",
                9,
                CHECKSUM,
            ),
        ),
        (
            ("spec", "template", "metadata", "labels", "team"),
            ("templates/web.yaml", 18, "{{- toYaml . | nindent 12 }}"),
        ),
        (("spec", "template", "spec", "hostNetwork"), ("templates/web.yaml", 22, "hostNetwork: true")),
        (("spec", "template", "spec", "nodeName"), ("templates/web.yaml", 20, "spec:")),
    ],
)
def test_what_is_rendered_is_placed_at_the_line_that_wrote_it(
    helm: str, path: tuple[str | int, ...], wanted: tuple[str, int, str]
) -> None:
    loaded = load_all(FILES)["Chart.yaml"]
    assert told(loaded) == []
    assert shows(FILES, by_address(loaded)["Deployment/default/shop-web"], *path) == wanted


@pytest.mark.parametrize(
    ("path", "line", "text", "values"),
    [
        (("securityContext", "privileged"), ("templates/_helpers.tpl", 9), "privileged: {{ .Values.privileged }}", [3]),
        (("securityContext", "runAsUser"), ("templates/_helpers.tpl", 11), "{{ toYaml . }}", [6]),
        (("securityContext", "capabilities", "add"), ("templates/_helpers.tpl", 11), "{{ toYaml . }}", [8]),
        (
            ("image",),
            ("templates/web.yaml", 26),
            'image: "{{ .Values.image.name }}:{{ .Values.image.tag | default',
            [10],
        ),
        (
            ("resources", "requests", "cpu"),
            ("templates/web.yaml", 31),
            "{{- toYaml .Values.resources | nindent 16 }}",
            [13],
        ),
        (
            ("resources", "limits", "memory"),
            ("templates/web.yaml", 31),
            "{{- toYaml .Values.resources | nindent 16 }}",
            [15],
        ),
        (("args", 1), ("templates/web.yaml", 34), 'args: ["{{ $name }}", {{ $value | quote }}]', []),
    ],
)
def test_a_value_that_was_filled_in_is_related(
    helm: str, path: tuple[str | int, ...], line: tuple[str, int], text: str, values: list[int]
) -> None:
    container = by_address(load_all(FILES)["Chart.yaml"])[CONTAINER]
    assert shows(FILES, container, *path) == (*line, text)
    related = container.locate(path).related
    found = [place.span.start_line for place, phrase in related if phrase == "with this value"]
    assert found == values
    assert all(place.path == "values.yaml" for place, phrase in related if phrase == "with this value")


def test_what_a_helper_wrote_names_the_line_that_includes_it(helm: str) -> None:
    container = by_address(load_all(FILES)["Chart.yaml"])[CONTAINER]
    (place, phrase), *_ = container.locate(("securityContext", "capabilities", "add")).related
    assert (place.path, place.span.start_line, phrase) == ("templates/web.yaml", 29, "included here")


def test_text_of_several_lines_does_not_disturb_the_lines_behind_it(helm: str) -> None:
    config = by_address(load_all(FILES)["Chart.yaml"])["ConfigMap/default/config"]
    assert config.value["data"]["text"] == "key: 2\na sentence\n  more\n"
    assert shows(FILES, config, "data", "other")[:2] == ("templates/config.yaml", 9)


def test_the_namespace_of_the_release_is_not_known(helm: str) -> None:
    found = by_address(load_all(FILES)["Chart.yaml"])["Deployment/default/shop-web"].value
    namespace = found["metadata"]["namespace"]
    assert isinstance(namespace, Unknown) and namespace.present
    assert found["metadata"]["annotations"]["host"].fragments == ("web.", None, ".svc")


def test_a_switched_off_template_gives_nothing_and_other_values_switch_it_on(helm: str) -> None:
    off = {**FILES, "values.yaml": VALUES.replace("enabled: true", "enabled: false")}
    assert CONTAINER not in by_address(load_all(off)["Chart.yaml"])
    given = (("prod.yaml", b"enabled: true\nreplicas: 5\n"),)
    found = by_address(load_all(off, KubernetesFormat().configured({"helm-values": given}))["Chart.yaml"])
    deployment = found["Deployment/default/shop-web"]
    assert deployment.value["spec"]["replicas"] == 5
    assert [str(place) for place, _ in deployment.locate(("spec", "replicas")).related] == ["prod.yaml:2:1"]


def test_values_in_the_folder_of_a_chart_are_for_that_chart_alone(helm: str) -> None:
    charts = {f"{name}/{path}": text for name in ("a", "b") for path, text in FILES.items()}
    given = (("a/prod.yaml", b"replicas: 5\n"),)
    loaded = load_all({**charts, "a/prod.yaml": "replicas: 5\n"}, KubernetesFormat().configured({"helm-values": given}))
    found = {
        name: by_address(loaded[f"{name}/Chart.yaml"])["Deployment/default/shop-web"].value["spec"]["replicas"]
        for name in ("a", "b")
    }
    assert found == {"a": 5, "b": 2}


SUB = {
    "Chart.yaml": CHART + "dependencies:\n  - {name: db, version: 1.0.0, alias: main, condition: main.enabled}\n",
    "values.yaml": "main:\n  enabled: true\n  image: db:2\n",
    "charts/db/Chart.yaml": CHART.replace("shop", "db"),
    "charts/db/values.yaml": "image: db:1\nport: 1\n",
    "charts/db/templates/pod.yaml": POD.replace("web:1", "{{ .Values.image }}\n          args: [{{ .Values.port }}]"),
}


def test_a_chart_below_takes_the_values_of_the_one_above(helm: str) -> None:
    loaded = load_all(SUB)["Chart.yaml"]
    assert told(loaded) == []
    container = by_address(loaded)["Pod/default/web/containers/web"]
    assert container.value["image"] == "db:2"
    assert shows(SUB, container, "image") == ("charts/db/templates/pod.yaml", 8, "image: {{ .Values.image }}")
    assert [str(place) for place, _ in container.locate(("image",)).related] == ["values.yaml:3:3"]
    assert [str(place) for place, _ in container.locate(("args", 0)).related] == ["charts/db/values.yaml:2:1"]


def test_a_chart_below_that_is_switched_off_is_told(helm: str) -> None:
    loaded = load_all({**SUB, "values.yaml": "main:\n  enabled: false\n"})["Chart.yaml"]
    assert told(loaded) == [
        "limited Chart.yaml:5:6: with these values nothing of the dependency 'main' is rendered, so it is not evaluated"
    ]


def packed(files: dict[str, str], links: dict[str, str] | None = None) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
        for name, target in (links or {}).items():
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    return gzip.compress(buffer.getvalue(), mtime=0)


def test_a_packed_chart_is_judged_at_the_line_that_names_it(helm: str) -> None:
    inner = {path.removeprefix("charts/"): textwrap.dedent(text) for path, text in SUB.items() if "charts/" in path}
    files = {"Chart.yaml": SUB["Chart.yaml"], "values.yaml": SUB["values.yaml"], "charts/db-1.0.0.tgz": packed(inner)}
    loaded = load_all(files)["Chart.yaml"]
    assert told(loaded) == []
    container = by_address(loaded)["Pod/default/web/containers/web"]
    assert container.value["image"] == "db:2"
    assert str(container.locate(("image",)).location) == "Chart.yaml:5:6"


def test_what_an_archive_links_to_is_not_read(helm: str) -> None:
    archive = packed(
        {"db/Chart.yaml": CHART.replace("shop", "db"), "../x": "x", "/db/y": "y"},
        {"db/templates/pod.yaml": "/etc/passwd", "db/values.yaml": "../../../secret"},
    )
    loaded = load_all({"Chart.yaml": SUB["Chart.yaml"], "values.yaml": "{}", "charts/db.tgz": archive})["Chart.yaml"]
    assert {resource.type for resource in loaded.resources} == {"chart", "values"}


def test_a_dependency_that_is_not_there_is_told_and_the_rest_is_judged(helm: str) -> None:
    chart = CHART + "dependencies:\n  - name: redis\n    version: 1.0.0\n    repository: https://charts.example.org\n"
    loaded = load_all({"Chart.yaml": chart, "templates/pod.yaml": POD})["Chart.yaml"]
    assert told(loaded) == [
        "limited Chart.yaml:5:5: the dependency 'redis' is not here and not evaluated; run `helm dependency build`"
    ]
    assert "Pod/default/web" in by_address(loaded)


def test_a_chart_that_needs_what_is_not_there_is_told_once(helm: str) -> None:
    chart = CHART + "dependencies:\n  - name: common\n    version: 1.0.0\n    repository: oci://registry.example.org\n"
    template = POD.replace("name: web", 'name: {{ include "common.name" . }}')
    loaded = load_all({"Chart.yaml": chart, "templates/a.yaml": template, "templates/b.yaml": template})["Chart.yaml"]
    assert told(loaded)[-1] == (
        "not_understood Chart.yaml:5:5: the chart cannot be rendered without its dependencies 'common'; "
        "run `helm dependency build`"
    )


@pytest.mark.parametrize(
    ("broken", "line", "wanted"),
    [
        ("a: 1\nb: {{ .Values.x\n", 2, "unclosed action"),
        ("a: 1\nb: {{ .Values.x.y.z }}\n", 2, "nil pointer"),
        ('a: 1\n\nb: {{ required "say x" .Values.x }}\n', 3, "say x"),
        ("apiVersion: v1\nkind: Pod\n  x: [1\n", 1, "YAML parse error"),
        ("{{ nosuch . }}\n", 1, 'function "nosuch" not defined'),
        ('a: {{ include "nosuch" . }}\n', 1, 'no template "nosuch"'),
    ],
)
def test_a_template_that_cannot_be_rendered_does_not_hide_the_others(
    helm: str, broken: str, line: int, wanted: str
) -> None:
    loaded = load_all({"Chart.yaml": CHART, "templates/a.yaml": broken, "templates/pod.yaml": POD})["Chart.yaml"]
    (problem,) = told(loaded)
    assert problem.startswith(f"not_understood templates/a.yaml:{line}:")
    assert wanted in problem
    assert "Pod/default/web" in by_address(loaded)


def test_what_a_template_makes_up_by_chance_is_not_known(helm: str, plugins: Plugins, rulebook: Rulebook) -> None:
    given = files(
        {
            "Chart.yaml": CHART,
            "values.yaml": "written: a-password-that-is-written-out\n",
            "templates/secret.yaml": """\
                apiVersion: v1
                kind: Secret
                metadata:
                  name: job-{{ randAlphaNum 5 | lower }}
                stringData:
                  made: {{ include "made" . | quote }}
                data:
                  tls.key: |
                    {{- randAlphaNum 64 | b64enc | nindent 4 }}
                """,
            "templates/other.yaml": """\
                apiVersion: v1
                kind: Secret
                metadata: {name: other}
                stringData:
                  written: {{ .Values.written }}
                """,
            "templates/_helpers.tpl": '{{- define "made" -}}{{ randAlphaNum 16 }}{{- end -}}\n',
        }
    )
    for _ in range(2):
        found = by_address(load_all(dict(given))["Chart.yaml"])
        made = found["Secret/default/job"].value
        assert isinstance(made["stringData"]["made"], Unknown)
        assert isinstance(made["data"]["tls.key"], Unknown)
        assert found["Secret/default/other"].value["stringData"]["written"].startswith("a-password")
    settings = Settings(select=Selection(("secret-not-in-repository",)))
    report = scan(MemoryTree(given), sorted(given), plugins, rulebook, settings)
    failed = [each.address for each in report.findings if each.outcome is Outcome.FAIL]
    assert failed == ["Secret/default/other"]


def test_a_comment_in_a_template_sets_a_finding_aside() -> None:
    text = (
        "a: {{ .Values.x }}  # policy-engine: ignore[x] because\n"
        "{{- /* policy-engine: ignore[y] so */}}\n"
        'b: "# policy-engine: ignore[z] no"\n'
        "  # policy-engine: ignore-file[z] all {{ .x }}\n"
    )
    found = list(KubernetesFormat().comments("c/templates/a.yaml", text.encode()))
    assert [(each.location.span.start_line, each.text.strip(), each.alone) for each in found] == [
        (1, "policy-engine: ignore[x] because", False),
        (2, "policy-engine: ignore[y] so", True),
        (4, "policy-engine: ignore-file[z] all {{ .x }}", True),
    ]


@pytest.mark.parametrize("folder", sorted(path.name for path in CORPUS.iterdir()))
def test_what_is_judged_is_what_helm_itself_gives(helm: str, folder: str) -> None:
    tree = WorkTree(str(CORPUS / folder))
    paths = [str(path.relative_to(CORPUS / folder)) for path in sorted((CORPUS / folder).rglob("*")) if path.is_file()]
    units, _ = units_of(tree, paths)
    loaded = KubernetesFormat().load(units["Chart.yaml"], tree)
    release = next(resource.name for resource in loaded.resources if resource.type == "chart")
    ours = [resource.value for resource in loaded.resources if isinstance(resource.value.get("kind"), str)]
    arguments = ["template", release, ".", "--namespace", NAMESPACE, "--kube-version", KUBERNETES_VERSION]
    done = subprocess.run([helm, *arguments], cwd=CORPUS / folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    theirs = [each for each in yaml.safe_load_all(done.stdout) if each]
    assert len(ours) == len(theirs) > 0
    assert [known(each) for each in ours] == theirs


def known(value: object) -> object:
    """With the namespace of the release as helm was told it."""
    if isinstance(value, Unknown):
        return "".join(NAMESPACE if piece is None else piece for piece in value.fragments or (None,))
    if isinstance(value, dict):
        return {key: known(item) for key, item in value.items()}
    if isinstance(value, list):
        return [known(item) for item in value]
    return value
