"""Fixtures every test may use; the servers behind them are real and start once a run, on first use."""

import os

# Airflow reads its settings at import: nothing of a developer's own Airflow may leak in.
for _name in [name for name in os.environ if name.startswith(("AIRFLOW", "SONG2VEC_", "STORAGE_EMULATOR"))]:
    del os.environ[_name]

pytest_plugins = ["tests.rig.gcs", "tests.rig.mariadb"]
