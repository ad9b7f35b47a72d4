"""Of Airflow's log, people see which task does what and why one failed; the file has everything."""

import io
import json

from tools.run_log import Story


def line(event: str, logger: str = "airflow.sdk.definitions.dag", level: str = "info", **fields) -> str:
    return json.dumps({"timestamp": "2026-01-01T00:00:00Z", "level": level, "event": event, "logger": logger, **fields})


def raised(kind: str, text: str, **fields) -> dict:
    frames = [{"filename": "train.py", "lineno": 7, "name": "train"}]
    return {"exc_type": kind, "exc_value": text, "frames": frames, **fields}


def tell(*lines: str) -> tuple[Story, str]:
    story, log = Story(), io.StringIO()
    story.read([text + "\n" for text in lines], log)
    return story, log.getvalue()


def start(task: str, index: int = -1) -> str:
    return line(f"[DAG TEST] starting task_id={task} map_index={index}")


def end(task: str) -> str:
    return line(f"[DAG TEST] end task task_id={task} map_index=-1")


def test_tasks_and_what_song2vec_says_are_shown_with_fields(capsys):
    tell(
        start("train"),
        line("epoch", "song2vec.train.training", epoch=1, loss=1.23456),
        end("train"),
        start("collect", 2),
    )

    shown = capsys.readouterr().out
    assert "▸ train\n  epoch  epoch=1  loss=1.235\n  ✓ " in shown
    assert "▸ collect [2]\n" in shown


def test_details_and_what_airflow_says_are_only_in_the_file(capsys):
    _, log = tell(
        start("prepare"),
        line("::group::The funnel", "song2vec.prepare.preparing"),
        line("a row of the funnel", "song2vec.prepare.preparing"),
        line("::endgroup::", "song2vec.prepare.preparing"),
        line("XCom not found", "airflow.api_fastapi", level="error"),
        "a text that is no log line",
    )

    assert capsys.readouterr().out == "▸ prepare\n"
    for text in ("a row of the funnel", "XCom not found", "a text that is no log line"):
        assert text in log


def test_a_failure_names_the_task_and_the_error_and_keeps_the_traceback(capsys):
    failed = line(
        "Task failed with exception",
        "task",
        level="error",
        exception=[raised("DataError", "no playlists are left"), raised("KeyError", "7", is_cause=True)],
    )

    story, log = tell(start("train"), failed, end("train"))

    assert story.failures == {"train": "DataError: no playlists are left"}
    assert "  ✗ DataError: no playlists are left\n" in capsys.readouterr().out
    assert 'File "train.py", line 7, in train' in log
    assert "KeyError: 7" in log


def test_a_skipped_task_is_no_success_and_says_why(capsys):
    tell(start("approve"), line("Skipping task.", "task", reason="gate.approval is off"), end("approve"))

    assert capsys.readouterr().out == "▸ approve\n  – skipped: gate.approval is off\n"


def test_a_task_that_works_the_second_time_did_not_fail():
    failed = line("Task failed with exception", "task", level="error", exception=[raised("OSError", "gone")])

    story, _ = tell(start("extract"), failed, end("extract"), start("extract"), end("extract"))

    assert story.failures == {}
