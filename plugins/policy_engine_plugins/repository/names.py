"""Which files a repository keeps for what purpose, told by their names alone: asked of every file that is met."""

from __future__ import annotations

CODEOWNERS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS")
DEPENDABOT = (".github/dependabot.yml", ".github/dependabot.yaml")
# In the order in which Renovate looks for them.
RENOVATE = (
    *("renovate.json", "renovate.json5", ".github/renovate.json", ".github/renovate.json5"),
    *(".gitlab/renovate.json", ".gitlab/renovate.json5", ".renovaterc", ".renovaterc.json", ".renovaterc.json5"),
)
DEVCONTAINER = ("devcontainer.json", ".devcontainer.json")

# Files by name, wherever they lie.
SETTINGS = frozenset(
    {
        *(".npmrc", ".yarnrc", ".yarnrc.yml", "pip.conf", "pip.ini", ".pypirc", "nuget.config", "auth.json"),
        *("gradle-wrapper.properties", "maven-wrapper.properties", "settings.xml", "pom.xml", "build.gradle"),
        *("build.gradle.kts", "settings.gradle", "settings.gradle.kts", ".condarc", "gemfile", "package.json"),
        *("composer.json", "pyproject.toml", "cargo.toml", "pipfile", ".pre-commit-config.yaml"),
        *(".pre-commit-config.yml", ".gitmodules"),
    }
)
LOCKS = frozenset({"package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "composer.lock", "poetry.lock", "uv.lock"})
EDITOR = frozenset({".vscode/tasks.json"})

# Files that hold secrets or personal traces by what they are. What is in them decides; see committed.py.
SECRET_NAMES = frozenset(
    {
        *("id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", ".netrc", "_netrc", ".pgpass", ".htpasswd", ".dockercfg"),
        *(".dockerconfigjson", ".git-credentials", ".my.cnf", ".s3cfg", ".boto", "credentials.json"),
        *("service-account.json", "service_account.json", "serviceaccount.json", "kubeconfig", ".kubeconfig"),
        *(".bash_history", ".zsh_history", ".sh_history", ".psql_history", ".mysql_history", ".python_history"),
        *(".node_repl_history", ".sqlite_history", ".rediscli_history", ".terraformrc", "terraform.rc"),
        *("credentials.tfrc.json", "datasources.local.xml", "sftp.json", "client_secret.json", "secring.gpg"),
        *("master.key", "wp-config.php", ".vault-token", ".vault_pass"),
    }
)
SECRET_PLACES = ("/.aws/credentials", "/.docker/config.json", "/.kube/config", "/.azure/accesstokens.json")
SECRET_ENDINGS = (
    *(".pem", ".key", ".p12", ".pfx", ".jks", ".keystore", ".kdbx", ".ppk", ".p8", ".pk8", ".gpg", ".asc", ".der"),
    *(".tfstate", ".tfstate.backup", ".ovpn", ".rdp", ".publishsettings"),
)


def is_requirements(name: str) -> bool:
    """`requirements.txt`, `requirements-dev.txt`, `dev-requirements.txt`; constraints are none."""
    return name.endswith((".txt", ".in")) and "requirements" in name


def is_environment(name: str) -> bool:
    """`.env`, `.env.production`, `prod.env`."""
    return name == ".env" or name.startswith(".env.") or name.endswith(".env") or name == ".envrc"


def is_secret(path: str) -> bool:
    lower = path.lower()
    return _is_secret(lower, lower.rpartition("/")[2])


def _is_secret(lower: str, name: str) -> bool:
    return (
        name in SECRET_NAMES
        or lower.endswith(SECRET_ENDINGS)
        or f"/{lower}".endswith(SECRET_PLACES)
        or is_environment(name)
        or (name.endswith(".json") and ("service-account" in name or "serviceaccount" in name or "gcp-key" in name))
    )


_NAMES = SETTINGS | LOCKS
_PLACES = EDITOR.union(CODEOWNERS, DEPENDABOT, RENOVATE)


def is_claimed(path: str) -> bool:
    lower = path.lower()
    name = lower.rpartition("/")[2]
    return (
        name in _NAMES
        or path in _PLACES
        or (name in DEVCONTAINER and (name[0] == "." or "/.devcontainer/" in f"/{path}"))
        or is_requirements(name)
        or (lower.endswith("/.vscode/tasks.json"))
        or _is_secret(lower, name)
    )


_ASIDE = frozenset(
    {
        *("vendor", "vendored", "third_party", "third-party", "thirdparty", "node_modules", "bower_components", "pods"),
        *("external", "extern", "deps", "testdata", "test-data", "test_data", "fixtures", "fixture", "__fixtures__"),
        *("test", "tests", "__tests__", "spec", "specs", "testing", "e2e", "integration-tests", "test-fixtures"),
        *("example", "examples", "sample", "samples", "demo", "demos", "playground", "templates", "template"),
        *("docs", "doc", "documentation", "benchmarks", "benchmark", "corpus", "golden", "snapshots", "mocks"),
    }
)


_ASIDE_ENDINGS = ("-example", "-examples", "-test", "-tests", "_test", "_tests", "-fixtures", "_fixtures", "testdata")


def is_aside(path: str) -> bool:
    """Whether a file lies where tests, examples, documentation or other people's code do: what is in it is not what
    the project runs."""
    folders = path.lower().split("/")[:-1]
    return any(each in _ASIDE or each.endswith(_ASIDE_ENDINGS) for each in folders)
