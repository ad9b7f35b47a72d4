"""Fixtures every test may use; the servers behind them are real and start once a run, on first use."""

import os

import hypothesis
import pytest

# Airflow reads its settings at import: nothing of a developer's own Airflow may leak in.
for _name in [name for name in os.environ if name.startswith(("AIRFLOW", "SONG2VEC_", "STORAGE_EMULATOR"))]:
    if _name != "SONG2VEC_TEST_BUCKET":
        del os.environ[_name]

hypothesis.settings.register_profile("song2vec", deadline=None)  # a slow machine is not a failure
hypothesis.settings.load_profile("song2vec")

pytest_plugins = ["tests.rig.gcs", "tests.rig.mariadb", "tests.rig.wheels"]


@pytest.fixture(scope="session", autouse=True)
def _no_cache_of_a_developer(tmp_path_factory):
    """What is pulled to the default place goes with the tests."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SONG2VEC_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
