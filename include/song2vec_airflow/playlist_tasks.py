"""The tasks that make playlists of what the sources hold, with which every DAG that trains begins."""

from datetime import timedelta
from typing import Any

from airflow.sdk import TriggerRule, task

from song2vec import stages
from song2vec_airflow.run import current_run, label

COLLECT = "Read collected CSV files, whatever their encoding; lines that cannot be read are kept as such."


@task(execution_timeout=timedelta(hours=2))
def extract() -> dict[str, Any]:
    """Stream the playlists out of the database of the connection `mariadb_default`, as they are."""
    return stages.extract(current_run())


@task(execution_timeout=timedelta(minutes=10))
def find_csvs() -> list[list[str]]:
    """List the collected CSV files; one group of files for each copy of `collect`."""
    return stages.find_csvs(current_run())


@task(execution_timeout=timedelta(hours=2), map_index_template="{{ label }}", doc_md=COLLECT)
def collect(csvs: list[str]) -> list[str]:
    """Read collected CSV files; `COLLECT` too, as Airflow takes no docstring for the page of a mapped task."""
    label(csvs)
    return stages.collect(current_run(), csvs)


@task(execution_timeout=timedelta(hours=2), trigger_rule=TriggerRule.NONE_FAILED)
def prepare(database: dict[str, Any], csvs: list[list[str]] | None) -> dict[str, Any]:
    """Make playlists of the raw rows; every row that is left out goes to quarantine with its reason."""
    groups = (csvs or [])[:]  # at once: iterating over what mapped tasks gave asks Airflow for one after the other
    return stages.prepare(current_run(), [database["uri"], *(uri for group in groups for uri in group)])


def prepared_playlists() -> Any:
    """Both sources side by side, then `prepare`: gives its task."""
    return prepare(extract(), collect.expand(csvs=find_csvs()))  # type: ignore[arg-type]  # results to come
