"""Fixtures of the Terraform tests."""

from __future__ import annotations

import pytest
from terraform_configuration import Loader


@pytest.fixture
def load() -> Loader:
    return Loader()
