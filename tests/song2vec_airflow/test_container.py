"""What a deployment needs before Airflow's services start."""

import json
import stat

from song2vec_airflow.container import write_password


def test_the_password_is_for_the_owner_only(tmp_path):
    path = tmp_path / "passwords.json"

    write_password(path, {"AIRFLOW_ADMIN_PASSWORD": "of the test"})

    assert json.loads(path.read_text()) == {"admin": "of the test"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
