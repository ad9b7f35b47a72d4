"""Where everything of the local stack lies, and the environment its processes get."""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DAG = "song2vec_retrain"
BUCKET = "song2vec"
STORE = f"gs://{BUCKET}/karaoke"

# The sample is small: with the defaults, which are for millions of songs sung, a vector hardly leaves its
# random start, and training takes minutes. Whoever sets one of these keeps what they set.
SAMPLE_SETTINGS = {
    "SONG2VEC_TRAIN__VECTOR_SIZE": "64",
    "SONG2VEC_TRAIN__EPOCHS": "25",
    "SONG2VEC_TRAIN__ALPHA": "0.1",
    "SONG2VEC_TRAIN__NEGATIVE": "5",
}


@dataclass(frozen=True)
class Places:
    """The folders of one clone of the project."""

    root: Path

    @property
    def data(self) -> Path:
        """Sample data, the workspace and the models. What is here is worth keeping."""
        return self.root / ".data"

    @property
    def airflow(self) -> Path:
        """Airflow's homes, databases and logs. May be deleted while nothing runs."""
        return self.root / ".airflow"

    @property
    def database(self) -> Path:
        """The SQLite database that stands in for MariaDB."""
        return self.data / "playlists.db"

    @property
    def workspace(self) -> Path:
        """The files between the stages, run by run."""
        return self.data / "workspace"

    @property
    def models(self) -> Path:
        """What the Cloud Storage server keeps."""
        return self.data / "models"


def environment(places: Places, home: Path, storage_url: str, base: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The environment of Airflow and of ``song2vec`` on this machine.

    What `base` says of another Airflow or another storage server is dropped; ``SONG2VEC_*`` settings stay.

    Args:
        places: the clone.
        home: ``AIRFLOW_HOME``, with ``airflow.db`` in it.
        storage_url: of the Cloud Storage server, ``http://127.0.0.1:4443``.
        base: what to start from.
    """
    kept = {
        name: value for name, value in base.items() if not name.startswith(("AIRFLOW", "STORAGE_EMULATOR", "_AIRFLOW"))
    }
    return {
        **SAMPLE_SETTINGS,
        "SONG2VEC_COLLECT__FOLDER": str(places.data / "csv"),
        **kept,
        "SONG2VEC_WORKSPACE": str(places.workspace),
        "STORAGE_EMULATOR_HOST": storage_url,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), base.get("PATH", os.defpath)]),
        "PYTHONPATH": str(places.root / "include"),
        "PYTHONUTF8": "1",  # Korean in logs whatever the machine's locale
        "NO_PROXY": never_by_proxy(base),
        "no_proxy": never_by_proxy(base),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(places.root / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(places.root / "plugins"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW_CONN_MARIADB_DEFAULT": json.dumps({"conn_type": "sqlite", "host": str(places.database)}),
        "AIRFLOW_CONN_SONG2VEC_MODELS": json.dumps({"conn_type": "google_cloud_platform", "extra": {"store": STORE}}),
    }


def never_by_proxy(base: Mapping[str, str]) -> str:
    """The value for ``NO_PROXY``: a proxy of the machine must not stand between the machine's own processes."""
    return ",".join(filter(None, (base.get("no_proxy") or base.get("NO_PROXY"), "127.0.0.1,localhost")))
