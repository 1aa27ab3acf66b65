"""Measures scans of Kubernetes manifests against Checkov, both sides taken in turn in one run.

    python benchmarks/kubernetes.py --checkov PATH/TO/bin/checkov [--megabytes 14] [--rounds 3]

The large file is measured at 2 MB unless `--megabytes` says otherwise: at 14 MB Checkov alone takes many minutes.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SERVICE = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  namespace: {team}
  labels:
    app.kubernetes.io/name: {name}
    app.kubernetes.io/part-of: {team}
    app.kubernetes.io/version: "1.{n}.0"
  annotations:
    description: Serves the {name} pages to customers of {team}
spec:
  replicas: {replicas}
  revisionHistoryLimit: 3
  selector:
    matchLabels:
      app.kubernetes.io/name: {name}
  strategy:
    type: RollingUpdate
    rollingUpdate: {{maxSurge: 1, maxUnavailable: 0}}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: {name}
        app.kubernetes.io/part-of: {team}
      annotations:
        prometheus.io/scrape: "true"
        prometheus.io/port: "9090"
    spec:
      serviceAccountName: {name}
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: {non_root}
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: app
          image: registry.example.org/{team}/{name}:1.{n}.0
          imagePullPolicy: IfNotPresent
          args: ["--port=8080", "--log-format=json", "--cache=/tmp/cache"]
          env:
            - name: LOG_LEVEL
              value: info
            - name: DATABASE_URL
              valueFrom:
                secretKeyRef:
                  name: {name}-database
                  key: url
            - name: POD_NAME
              valueFrom:
                fieldRef:
                  fieldPath: metadata.name
          ports:
            - name: http
              containerPort: 8080
            - name: metrics
              containerPort: 9090
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: {read_only}
            capabilities:
              drop: [ALL]
          resources:
            requests:
              cpu: 100m
              memory: 128Mi
            limits:
              memory: 256Mi
          readinessProbe:
            httpGet:
              path: /ready
              port: http
            periodSeconds: 5
          livenessProbe:
            httpGet:
              path: /live
              port: http
          volumeMounts:
            - name: cache
              mountPath: /tmp/cache
            - name: config
              mountPath: /etc/{name}
              readOnly: true
        - name: proxy
          image: registry.example.org/platform/proxy@sha256:{digest}
          ports:
            - name: proxy
              containerPort: 15001
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
          resources:
            requests: {{cpu: 10m, memory: 32Mi}}
            limits: {{memory: 64Mi}}
          readinessProbe:
            tcpSocket: {{port: proxy}}
          livenessProbe:
            tcpSocket: {{port: proxy}}
      volumes:
        - name: cache
          emptyDir:
            sizeLimit: 1Gi
        - name: config
          configMap:
            name: {name}
"""

REST = """\
---
apiVersion: v1
kind: Service
metadata:
  name: {name}
  namespace: {team}
  labels:
    app.kubernetes.io/name: {name}
spec:
  type: ClusterIP
  selector:
    app.kubernetes.io/name: {name}
  ports:
    - name: http
      port: 80
      targetPort: http
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {name}
  namespace: {team}
automountServiceAccountToken: false
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
  namespace: {team}
data:
  application.yaml: |
    server:
      port: 8080
      shutdown: graceful
    features:
      search: {read_only}
      recommendations: {non_root}
    pages:
      - name: start
        path: /
      - name: basket
        path: /basket
  motd: welcome to {name}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {name}
  namespace: {team}
  annotations:
    cert-manager.io/cluster-issuer: internal
spec:
  ingressClassName: nginx
  tls:
    - hosts: [{name}.example.org]
      secretName: {name}-tls
  rules:
    - host: {name}.example.org
      http:
        paths:
          - path: /
            pathType: Prefix
            backend:
              service:
                name: {name}
                port:
                  name: http
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {name}
  namespace: {team}
rules:
  - apiGroups: [""]
    resources: [configmaps]
    resourceNames: [{name}]
    verbs: [get, watch]
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {name}
  namespace: {team}
spec:
  minAvailable: 1
  selector:
    matchLabels:
      app.kubernetes.io/name: {name}
"""


def service(n: int) -> tuple[str, str]:
    """A workload, and what goes with it."""
    values = {
        "n": n,
        "name": f"service-{n}",
        "team": f"team-{n % 20}",
        "replicas": 1 + n % 4,
        "non_root": "true" if n % 3 else "false",
        "read_only": "true" if n % 5 else "false",
        "digest": f"{n:064x}",
    }
    return SERVICE.format(**values), REST.format(**values).removeprefix("---\n")


def ordinary(folder: Path) -> int:
    """300 files, as repositories have them: a workload in one, what goes with it in another."""
    for n in range(150):
        place = folder / f"team-{n % 20}"
        place.mkdir(exist_ok=True)
        workload, rest = service(n)
        (place / f"service-{n}.yaml").write_text(workload)
        (place / f"service-{n}-rest.yaml").write_text(rest)
    return 300


def large(folder: Path, megabytes: float) -> None:
    """One file: a cluster's manifests as they are written to one."""
    size, n = 0, 0
    with (folder / "cluster.yaml").open("w") as stream:
        while size < megabytes * 1_000_000:
            size += stream.write("---\n".join(["", *service(n)]))
            n += 1


def seconds(command: list[str], folder: Path, limit: float) -> float | None:
    """Wall time; None where the limit is reached. Findings (exit code 1) are no failure of a benchmark."""
    started = time.perf_counter()
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return None
    if done.returncode not in (0, 1):
        raise SystemExit(f"{command} ended with {done.returncode}: {done.stderr.decode()[-500:]}")
    return time.perf_counter() - started


def measure(name: str, wanted: int, folder: Path, out: Path, checkov: str | None, rounds: int, limit: float) -> None:
    ours = [str(Path(sys.executable).parent / "policy-engine"), "scan", ".", "--format", f"sarif={out}/ours.sarif"]
    theirs = [str(checkov), "-d", ".", "--framework", "kubernetes", "--compact", "--quiet", "-o", "sarif"]
    theirs += ["--output-file-path", str(out)]
    taken: list[float] = []
    others: list[float] = []
    seconds(ours, folder, limit)  # warms the caches
    for _ in range(rounds):
        took = seconds(ours, folder, limit)
        if took is None:
            raise SystemExit(f"{name}: took longer than {limit:g} s")
        taken.append(took)
        other = None if checkov is None else seconds(theirs, folder, limit)
        if other is not None:
            others.append(other)
    mine = statistics.median(taken)
    if not others:
        what = "give --checkov for the ratio" if checkov is None else f"Checkov takes longer than {limit:g} s"
        print(f"{name:<22} {mine:.2f} s ({what})")
        return
    their = statistics.median(others)
    print(
        f"{name:<22} {mine:.2f} s, Checkov {their:.2f} s: {their / mine:.1f} times faster (wanted: at least {wanted})"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkov", help="path of a checkov executable to compare with")
    parser.add_argument("--megabytes", type=float, default=2, help="size of the large file")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--limit", type=float, default=600, help="seconds that one run may take")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        out = Path(made)
        for part in ("ordinary", "large"):
            (out / part).mkdir()
        count = ordinary(out / "ordinary")
        measure(f"{count} manifests", 10, out / "ordinary", out, given.checkov, given.rounds, given.limit)
        large(out / "large", given.megabytes)
        name = f"one file of {given.megabytes:g} MB"
        measure(name, 8, out / "large", out, given.checkov, max(1, given.rounds // 2), given.limit)


if __name__ == "__main__":
    main()
