"""Retrain the song embedding every day and hand the model to the services, if it deserves it."""

from datetime import datetime, timedelta

from airflow.sdk import CronTriggerTimetable, TriggerRule, dag, task

from song2vec_airflow.approval import TASK, Approval
from song2vec_airflow.params import trigger_form
from song2vec_airflow.policy import TASKS
from song2vec_airflow.run import current_run, skip

DOC = """
### What it does
Brings people's playlists from MariaDB and from collected CSV files together, trains a skip-gram model on
them, measures it on playlists it has never seen, and publishes it to the model store, whatever the gate says of it.
If the gate accepts it, and the published version answers as the trained model does, the channel `production` moves to
it and services pull it.

### When something looks wrong
- **A red task that did not retry**: trying again cannot help, it is a setting, a password or the data. Its log says
  what was found, what was expected and what to do, under *Task failed with exception*; mend that, then *Clear* the
  task, or trigger another run if the form had the wrong value.
- **An orange task, *up for retry***: the database or the bucket did not answer, or the worker was told to stop. Nothing
  to do: it tries again, and a training goes on where it was.
- **`promote` is pink (*skipped*)**: nothing broke, and `production` stays as it was. The gate refused the model: its
  log says rule by rule what was asked, what was measured and by how much it was missed; the summary in the log of
  `report` says it too. The version is published as *rejected*: look at it under *Models*. If it should go live all the
  same, trigger another run with the reason in `gate.force`. Or a person refused it when asked. Or a person pinned
  `production`: the log of `promote` says who, when and why; the DAG `song2vec_promote` unpins it.
- **`approve` is pink**: nobody was asked, as `gate.approval` is off or the gate refused the model. **It is waiting**:
  answer it under *Required Actions*; without an answer the default counts after `gate.approval_hours`.
- **`verify` is red**: what was published does not answer as what was trained, and was not promoted. Its log shows a
  question and both answers.
- **`check_data` is red**: the data was refused, and its log names the rule, the figure and the limit. The log of
  `prepare` shows the funnel; `song2vec quarantine` shows the rows that were left out. If the data is right, trigger
  another run with the reason in `check_data.override`: it trains all the same, and the version records why.

Clearing a task, or the whole run, is always safe: running it again gives the right result.
"""


@task(execution_timeout=timedelta(hours=2))
def extract_playlists() -> dict:
    """Stream the playlists out of the database of the connection `mariadb_default`, as they are."""
    from song2vec.extract import extract
    from song2vec_airflow.connections import open_database

    run = current_run()
    with run.files.stage("raw/mariadb") as out:
        record = extract(open_database(run.settings.extract), out, run.settings.extract)
    return record | {"uri": run.files.uri("raw/mariadb")}


@task(execution_timeout=timedelta(minutes=10))
def find_csvs() -> list[list[str]]:
    """List the collected CSV files; one group of files for each copy of `collect_csvs`."""
    from song2vec.collect import find_csvs, groups

    return groups(find_csvs(current_run().settings.collect))


COLLECT = "Read collected CSV files, whatever their encoding; lines that cannot be read are kept as such."


@task(execution_timeout=timedelta(hours=2), map_index_template="{{ label }}", doc_md=COLLECT)
def collect_csvs(paths: list[str]) -> list[str]:
    """Read collected CSV files; `COLLECT` too, as Airflow takes no docstring for the page of a mapped task."""
    from pathlib import Path

    from airflow.sdk import get_current_context

    from song2vec.collect import collect

    get_current_context()["label"] = ", ".join(Path(path).name for path in paths)
    run = current_run()
    with run.files.stage("raw/csv") as out:
        records = [collect(Path(path), out, run.settings.collect) for path in paths]
    return [run.files.uri(f"raw/csv/{record['name']}") for record in records]


@task(execution_timeout=timedelta(hours=2), trigger_rule=TriggerRule.NONE_FAILED)
def prepare(database: dict, csvs: list[list[str]] | None) -> dict:
    """Make playlists of the raw rows; every row that is left out goes to quarantine with its reason."""
    from song2vec.prepare import prepare

    run = current_run()
    uris = [database["uri"], *(uri for group in (csvs or [])[:] for uri in group)]
    with run.files.stage("prepared") as out:
        record = prepare([run.files.fetch(uri) for uri in uris], out, run.settings)
    return record | {"uri": run.files.uri("prepared")}


@task(execution_timeout=timedelta(hours=1))
def check_data(prepared: dict) -> dict:
    """Decide whether the data may be trained on, beside that of the live version; say what changed since then."""
    from song2vec.gates import check_data, insist
    from song2vec_airflow.connections import open_store

    run = current_run()
    with run.files.stage("checked") as out:
        decision = check_data(run.files.fetch(prepared["uri"]), out, open_store(), run.settings)
    insist(decision)  # out here, where the verdict is kept already
    return {"sentence": decision["sentence"], "changes": decision["changes"], "uri": run.files.uri("checked")}


@task(execution_timeout=timedelta(hours=12))
def train(prepared: dict) -> dict:
    """Train on all playlists but the held-out ones, from where a stopped try was, and align to the live version."""
    from song2vec.stages import parent_model
    from song2vec.train import train
    from song2vec_airflow.connections import open_store

    run = current_run()
    data = run.files.fetch(prepared["uri"])
    playlists, heldout = data / "playlists.parquet", data / "heldout.parquet"
    parent = parent_model(open_store(), run.settings)
    with run.files.stage("model") as out:
        backup = run.files.backup("checkpoint")
        record = train(playlists, out, run.settings, heldout=heldout, parent=parent, backup=backup)
    return record | {"uri": run.files.uri("model")}


@task(execution_timeout=timedelta(hours=1))
def evaluate(prepared: dict, model: dict) -> dict:
    """Measure the model on the held-out playlists, beside popularity, item-kNN and the live version."""
    from song2vec.evaluate import evaluate
    from song2vec.versions.live_model import live_model
    from song2vec_airflow.connections import open_store

    run = current_run()
    data = run.files.fetch(prepared["uri"])
    with run.files.stage("evaluation") as out:
        record = evaluate(
            run.files.fetch(model["uri"]),
            data / "heldout.parquet",
            run.settings,
            playlists=data / "playlists.parquet",
            live=live_model(open_store(), run.settings.publish.channel),
            out=out,
        )
    return {"metrics": record["model"], "uri": run.files.uri("evaluation")}


@task(execution_timeout=timedelta(minutes=10))
def gate(evaluation: dict) -> dict:
    """Decide whether the model may go to production, and say why in one sentence."""
    from song2vec.gates import judge

    run = current_run()
    with run.files.stage("gate") as out:
        decision = judge(run.files.fetch(evaluation["uri"]) / "metrics.json", out, run.settings.gate)
    return {name: decision[name] for name in ("accepted", "forced", "sentence")} | {"uri": run.files.uri("gate")}


@task(execution_timeout=timedelta(hours=2))
def publish(prepared: dict, checked: dict, model: dict, evaluation: dict, decision: dict) -> dict:
    """Write the version to the model store: immutable, checked after upload, visible only when whole."""
    from song2vec.stages import publish_run
    from song2vec_airflow.connections import open_signing_key, open_store

    run = current_run()
    folders = [run.files.fetch(stage["uri"]) for stage in (model, prepared, checked, evaluation, decision)]
    return publish_run(open_store(), folders, run.settings, open_signing_key())


@task(execution_timeout=timedelta(hours=1))
def verify(model: dict, published: dict) -> dict:
    """Pull the version from the store as a service would, check every file, and ask it what the trained model knows."""
    from song2vec.verify import try_out
    from song2vec_airflow.connections import open_store

    run = current_run()
    return try_out(open_store(), published["version"], run.files.fetch(model["uri"]))


APPROVE = "Ask a person whether the channel may move, if `gate.approval` is on; otherwise this task is skipped."


@task(execution_timeout=timedelta(minutes=10), trigger_rule=TriggerRule.NONE_FAILED)
def promote(decision: dict, published: dict) -> dict:
    """Move the channel to the version if gate and person let it and nobody pinned it; else this task is skipped."""
    from song2vec.channels import promote
    from song2vec.errors import PinnedError
    from song2vec.gates import may_promote
    from song2vec_airflow.approval import answer
    from song2vec_airflow.connections import open_store

    run = current_run()
    channel, version = run.settings.publish.channel, published["version"]
    if not may_promote(decision):
        skip(f"{channel} stays as it is. {decision['sentence']}")
    why = f"{answer()} {decision['sentence']}".lstrip()
    try:
        forced = decision["forced"]
        pointer = promote(open_store(), channel, version, who=run.who, why=why, rejected=forced, run=run.name)
    except PinnedError as pinned:
        skip(str(pinned))
    return {"channel": channel, "version": pointer.version, "sequence": pointer.sequence}


@task(execution_timeout=timedelta(minutes=10), trigger_rule=TriggerRule.NONE_FAILED)
def report(prepared: dict, checked: dict, evaluation: dict, decision: dict, published: dict) -> dict:
    """Ask the new version for similar songs, and sum the run up on one page."""
    from song2vec.stages import report_run
    from song2vec_airflow.approval import answer
    from song2vec_airflow.connections import open_store

    run = current_run()
    folders = [run.files.fetch(stage["uri"]) for stage in (prepared, checked, evaluation, decision)]
    with run.files.stage("report") as out:
        report_run(open_store(), folders, published["version"], out, run.settings, approval=answer())
    return {"uri": run.files.uri("report")}


@task(execution_timeout=timedelta(hours=1))
def prune() -> dict:
    """Show, or delete, the versions that need not stay, as `retention.after_run` says; skipped where it is off."""
    from song2vec.stages import prune_after_run
    from song2vec_airflow.connections import open_store

    answer = prune_after_run(open_store(), current_run().settings)
    if answer is None:
        skip("all versions stay: retention.after_run is off")
    return answer


@dag(
    doc_md=DOC,
    description="Playlists to a published, checked song-embedding model",
    schedule=CronTriggerTimetable("0 4 * * *", timezone="Asia/Seoul"),
    start_date=datetime(2026, 1, 1),
    catchup=False,
    max_active_runs=1,
    tags=["song2vec", "training"],
    params=trigger_form(),
    default_args=TASKS,
)
def song2vec_retrain() -> None:
    """Playlists to a published, checked model."""
    prepared = prepare(extract_playlists(), collect_csvs.expand(paths=find_csvs()))
    checked = check_data(prepared)
    model = train(prepared)
    checked >> model
    evaluation = evaluate(prepared, model)
    decision = gate(evaluation)
    published = publish(prepared, checked, model, evaluation, decision)
    approval = Approval(
        task_id=TASK,
        decision=decision,
        evaluation=evaluation,
        published=published,
        doc_md=APPROVE,
        execution_timeout=timedelta(minutes=10),
    )
    promoted = promote(decision, published)
    summary = report(prepared, checked, evaluation, decision, published)
    verify(model, published) >> approval >> promoted >> summary >> prune()


song2vec_retrain()
