"""Which jobs and steps are security scans, by their names and what they run."""

from __future__ import annotations

import re

_NAME = re.compile(
    r"(?i)(?:^|[^a-z])(?:sast|dast|iac[-_ ]?scan\w*|secret[-_ ]?(?:detection|scan\w*)|gitleaks|trufflehog|semgrep"
    r"|bandit|gosec|brakeman|trivy|grype|snyk\w*|checkov|tfsec|kics|codeql|sonarqube\w*|credscan|policy[-_ ]engine"
    r"|dependency[-_ ]?(?:scan\w*|check)|container[-_ ]?scan\w*|vulnerability[-_ ]?scan\w*|advancedsecurity\w*"
    r"|microsoftsecuritydevops|whitesource\w*|mend\w*|veracode\w*|checkmarx\w*"
    r"|security[-_ ]?(?:scan|check|test)\w*)(?:$|[^a-z])"
)
_COMMAND = re.compile(
    r"(?m)^[ \t]*(?:trivy|gitleaks|semgrep|bandit|gosec|brakeman|grype|snyk|checkov|tfsec|trufflehog|pip-audit"
    r"|npm audit|yarn audit|policy-engine scan)\b"
)


def is_security_name(name: str) -> bool:
    return _NAME.search(name[:300]) is not None


def is_security_script(text: str) -> bool:
    return _COMMAND.search(text[:20_000]) is not None
