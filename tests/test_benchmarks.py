"""The benchmarks run, and print one line a figure: a smoke run, for what they measure is not tested here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

COMPARED = {"bench", "ours", "theirs", "ratio", "unit", "against", "pairs"}
PAIRED = {*COMPARED, "difference", "interval", "seeds"}
TRAIN = {
    "train-vs-gensim",
    "train-vs-gensim-1-thread",
    "train-share-of-sgemm-peak",
    "train-threads-2-vs-1",
    "train-growth-vocabulary-2k",
    "train-growth-length-50",
}
QUALITY = {
    "quality-cpu-to-seed-quality",
    "quality-one-thread-twice",
    "quality-spread",
    *(
        f"quality-{metric}vs-{rival}"
        for metric in ("", "hr-")
        for rival in (
            "popularity",
            "item-knn-cosine",
            "item-knn",
            "item-knn-tuned",
            "ease",
            "ials-256",
            "ials-512",
            "gensim",
        )
    ),
}
EVALUATE = {f"evaluate-{what}vs-gensim-loop" for what in ("", "item-knn-", "all-")}
PUBLISH = {"publish-vs-bare-client", "publish-vs-transfer-manager"}
CLIENT = {
    "client-batch-vs-gensim",
    "client-single-vs-gensim",
    "client-warm-load-ms",
    "client-memory-4-processes",
    *(f"client-{what}-two-way-vs-one-way" for what in ("continue", "pulled", "memory")),
}


@pytest.mark.timeout(900)  # where much else runs at the same time
@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("bench_train", TRAIN),
        ("bench_train_memory", {"train-peak-memory-1000-songs"}),
        ("bench_quality", QUALITY),
        ("bench_evaluate", EVALUATE),
        ("bench_publish", PUBLISH),
        ("bench_client", CLIENT),
    ],
)
def test_a_smoke_run_prints_every_figure(module: str, names: set[str], tmp_path: Path):
    here = Path.cwd()
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{module}"],
        cwd=tmp_path,  # where the quality benchmark keeps its reference
        env={**os.environ, "SIZE": "small", "PYTHONPATH": f"{here / 'include'}{os.pathsep}{here}"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]

    assert {line["bench"] for line in lines} == names
    assert all(set(line) == (PAIRED if "seeds" in line else COMPARED) for line in lines)
    for line in lines:
        if "interval" in line:
            low, high = line["interval"]
            assert low <= line["difference"] <= high
    assert all(line["ours"] > 0 and line["theirs"] > 0 and line["ratio"] > 0 for line in lines)
