"""In tests, the shapes and types in annotations are checked at run time."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
import torch
from hypothesis import HealthCheck, settings
from jaxtyping import install_import_hook

if not any(name.startswith("stegfield.fields") for name in sys.modules):
    install_import_hook("stegfield", "beartype.beartype")

settings.register_profile(
    "quick",
    max_examples=30,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
settings.load_profile("quick")


@pytest.fixture
def one_thread() -> Iterator[None]:
    """Run with one thread, and put the number back."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
