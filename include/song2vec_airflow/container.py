"""What the ``init`` container of docker-compose.yaml does before Airflow's services start, as often as it runs."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from song2vec.plumbing.files import whole_file

USER = "admin"


def main(environment: Mapping[str, str] = os.environ) -> int:
    """Bring Airflow's database up to date and write the password of ``admin``; the exit code is that of Airflow."""
    code = subprocess.run([sys.executable, "-m", "airflow", "db", "migrate"], check=False).returncode
    if code == 0:
        write_password(Path(environment["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"]), environment)
    return code


def write_password(path: Path, environment: Mapping[str, str]) -> None:
    """Write the password of ``admin`` in the format of Airflow's simple auth manager, for the owner only."""
    with whole_file(path) as temporary:
        temporary.touch(mode=0o600)
        temporary.write_text(json.dumps({USER: environment["AIRFLOW_ADMIN_PASSWORD"]}), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
