"""Which YAML files hold GitLab jobs, told from their content: for files that are included under names of their own."""

from __future__ import annotations

# Files of other tools whose jobs look alike.
_OTHERS = (".travis.yml", ".cirrus.yml", "bitbucket-pipelines.yml", "appveyor.yml", ".appveyor.yml", "cloudbuild.yaml")
_SCRIPTS = (b"script:", b"extends:", b"trigger:")
_JOB_KEYS = (
    *(b"stage:", b"rules:", b"only:", b"before_script:", b"after_script:", b"needs:", b"artifacts:", b"tags:"),
    *(b"allow_failure:", b"environment:", b"services:", b"id_tokens:", b"extends:", b"interruptible:"),
)
_TOP_KEYS = (b"stages:", b"include:", b"workflow:", b"default:", b"spec:")
_FOREIGN_TOP_KEYS = (b"apiVersion:", b"jobs:", b"pipelines:", b"runs:", b"steps:", b"openapi:", b"pool:", b"language:")


def is_pipeline(path: str, data: bytes) -> bool:
    """Whether a top-level entry has a job's keys right below it, with a sign that the job is GitLab's."""
    if path.endswith(_OTHERS):
        return False
    indent = -1
    has_script = has_key = has_top = False
    for line in data.splitlines():
        text = line.lstrip(b" ")
        if not text or text[:1] == b"#":
            continue
        depth = len(line) - len(text)
        if depth == 0:
            indent = -1
            if text.startswith(_FOREIGN_TOP_KEYS):
                return False
            has_top = has_top or text.startswith(_TOP_KEYS)
            continue
        if indent < 0:
            indent = depth
        if depth == indent:
            has_script = has_script or text.startswith(_SCRIPTS)
            has_key = has_key or text.startswith(_JOB_KEYS)
    return has_script and (has_key or has_top)
