"""The command line configures the log of its process, which in tests is that of all tests."""

import pytest
import structlog


@pytest.fixture(autouse=True)
def _log_as_before():
    yield
    structlog.reset_defaults()
