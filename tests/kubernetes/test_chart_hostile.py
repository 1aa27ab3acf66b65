"""Charts that mean harm: nothing is fetched, nothing outside is read, and time, memory and output have an end."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from chart_reading import CHART, POD, by_address, load_all, told, units_of
from policy_engine.tree import WorkTree
from policy_engine_plugins.kubernetes import KubernetesFormat, sandbox, tool

SANDBOX = str(Path(sandbox.__file__))


def rendered(template: str, **more: str) -> tuple[list[str], float]:
    start = time.monotonic()
    loaded = load_all({"Chart.yaml": CHART, "templates/a.yaml": template, **more})["Chart.yaml"]
    return told(loaded), time.monotonic() - start


@pytest.mark.parametrize(
    "template",
    [
        "{{ range $i := until 100000000 }}x{{ end }}",
        "a: {{ range $i := until 1000000 }}{{ range $j := until 1000000 }}x{{ end }}{{ end }}",
        'a: {{ "x" | repeat 2000000000 }}',
        'a: {{ range $i := until 20000 }}{{ "x" | repeat 100000 }}{{ end }}',
        '{{ define "a" }}{{ include "a" . }}{{ end }}a: {{ include "a" . }}',
        '{{ define "a" }}{{ template "a" . }}{{ end }}a: {{ template "a" . }}',
        'a: {{ genPrivateKey "rsa" }}{{ range $i := until 1000 }}{{ genPrivateKey "rsa" }}{{ end }}',
    ],
)
def test_a_template_without_end_is_given_up(helm: str, template: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool, "TIME_S", 3)
    problems, took = rendered(template)
    assert problems, "nothing was told"
    assert all(problem.startswith("not_understood") for problem in problems)
    assert took < 25


def test_what_a_template_asks_of_a_cluster_is_empty(helm: str) -> None:
    loaded = load_all(
        {
            "Chart.yaml": CHART,
            "templates/a.yaml": POD.replace("web:1", '{{ (lookup "v1" "Secret" "x" "y").data | default "none" }}'),
        }
    )["Chart.yaml"]
    assert by_address(loaded)["Pod/default/web/containers/web"].value["image"] == "none"


def test_a_template_reads_no_file_outside_of_its_chart(helm: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("hidden")
    chart = tmp_path / "repository" / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text(CHART)
    (chart / "link").symlink_to(tmp_path / "secret")
    (chart / "templates" / "link.yaml").symlink_to(tmp_path / "secret")
    (chart / "templates" / "a.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata:\n"
        '  a: "{{ .Files.Get "link" }}"\n'
        '  b: "{{ .Files.Get "../../secret" }}"\n'
        '  c: "{{ .Files.Get "/etc/passwd" }}"\n'
    )
    tree = WorkTree(str(tmp_path / "repository"))
    units, _ = units_of(tree, ["chart/Chart.yaml", "chart/templates/a.yaml"])
    loaded = KubernetesFormat().load(units["chart/Chart.yaml"], tree)
    assert by_address(loaded)["ConfigMap/default/a"].value["data"] == {"a": "", "b": "", "c": ""}


def test_a_schema_is_not_fetched(helm: str) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        asked = threading.Event()

        def wait() -> None:
            try:
                listening.accept()
            except OSError:
                return
            asked.set()

        threading.Thread(target=wait, daemon=True).start()
        schema = f'{{"$ref": "http://127.0.0.1:{listening.getsockname()[1]}/x.json"}}'
        loaded = load_all({"Chart.yaml": CHART, "values.schema.json": schema, "templates/a.yaml": POD})["Chart.yaml"]
        assert told(loaded) == []
        assert not asked.wait(0.2)
        listening.shutdown(socket.SHUT_RDWR)


def test_a_command_has_no_network_and_an_environment_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        code = (
            "import os, socket\n"
            "print(sorted(os.environ))\n"
            "try:\n"
            f"    socket.create_connection(('127.0.0.1', {listening.getsockname()[1]}), 2); print('connected')\n"
            "except OSError as error:\n"
            "    print('refused')\n"
        )
        done = tool.run(sys.executable, ["-I", "-S", "-c", code], str(tmp_path))
    if done.error == "the network cannot be cut off on this machine":
        pytest.skip("this machine lets nobody make a network namespace")
    assert done.error == ""
    text = done.output.decode()
    assert "refused" in text
    assert "hidden" not in text
    assert "AWS" not in text


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("try: bytearray(3 << 30)\nexcept MemoryError: raise SystemExit('out of memory')", "memory"),
        ("import sys\nwhile True: sys.stdout.write('x' * 65536)", "MiB"),
        ("while True: pass", "took longer"),
    ],
)
def test_a_command_is_held_to_its_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, wanted: str
) -> None:
    monkeypatch.setattr(tool, "TIME_S", 2)
    done = tool.run(sys.executable, ["-I", "-S", "-c", code], str(tmp_path), without_network=False)
    assert done.output == b""
    assert wanted in done.error


def test_a_tool_that_the_repository_brings_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in (tmp_path / "repository" / "bin", tmp_path / "own"):
        folder.mkdir(parents=True)
        (folder / "helm").write_text("#!/bin/sh\n")
        (folder / "helm").chmod(0o755)
    (tmp_path / "repository" / ".git").mkdir()
    monkeypatch.chdir(tmp_path / "repository" / "bin")
    monkeypatch.setenv("PATH", os.pathsep.join([".", "", str(tmp_path / "repository" / "bin")]))
    assert tool.find("helm") is None
    monkeypatch.setenv("PATH", os.environ["PATH"] + os.pathsep + str(tmp_path / "own"))
    assert tool.find("helm") == str(tmp_path / "own" / "helm")


def test_marks_that_a_chart_writes_itself_lead_nowhere_else(helm: str) -> None:
    text = POD.replace("web:1", 'web:1 #~{{ "000000000000" }}:999:999~')
    loaded = load_all({"Chart.yaml": CHART, "templates/a.yaml": text})["Chart.yaml"]
    assert str(by_address(loaded)["Pod/default/web/containers/web"].locate(("image",)).location).startswith(
        "templates/a.yaml:8:"
    )


def test_the_sandbox_says_where_the_network_cannot_be_cut_off() -> None:
    code = (
        "import ctypes, runpy, sys\n"
        "ctypes.CDLL = lambda *_, **__: object()\n"
        "sys.argv = ['sandbox.py', 'none', '0', '0', '0', '/bin/true']\n"
        f"runpy.run_path({SANDBOX!r}, run_name='__main__')\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == sandbox.NOT_ISOLATED
