"""The pages over HTTP: a real store behind, a real server in front."""

import json
import re
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from fastapi import Depends, FastAPI, HTTPException
from tests.rig.gcs import blob
from tests.song2vec_ui import seed
from tests.song2vec_ui.http import serving

from song2vec.gates.model_gate import decide
from song2vec.records import Metrics
from song2vec.settings import GateSettings
from song2vec_client.format.layout import channel_name, file_name, move_name
from song2vec_client.gcs.bucket import Bucket
from song2vec_client.store import ModelStore
from song2vec_ui.app import create_app

EVIL = "<script>alert(1)</script>\" onload='x' {{ 7 * 7 }}"


@pytest.fixture
def site(store, tmp_path):
    """A browser's view of the pages over the store of the test."""
    app = FastAPI(openapi_url=None)
    app.mount("/song2vec", create_app(lambda: ModelStore(store, cache=tmp_path)))
    with serving(app) as browser:
        yield browser


def text(response):
    """What a reader sees of a page."""
    return " ".join(re.sub(r"<[^>]*>", " ", response.text).split())


def test_an_empty_store_says_what_to_do(site):
    response = site.get("/song2vec/models")

    assert response.status_code == 200
    assert "No model yet" in response.text
    assert "Trigger" in response.text


def test_the_models_page_tells_which_version_is_live_and_why(site, bucket):
    live, versions = seed.story(bucket)

    response = site.get("/song2vec/models")
    page = text(response)

    assert response.status_code == 200
    assert re.findall(r'<td><a class="version" href="/song2vec/models/([^"]+)">\1</a>', response.text)[:4] == versions
    assert re.search(
        rf"production {live} 옛날 노래가 너무 많이 추천됨: back to the version before moved by jisoo", page
    )
    assert f"{live} production accepted 0.171 popular 0.029 · kNN 0.163" in page
    assert f"{versions[2]} rejected 0.018" in page
    assert page.index("production rollback") < page.index("airflow (scheduled)")  # newest first


def test_a_pin_is_seen_on_the_card_in_the_list_and_on_the_page_of_the_version(site, bucket):
    live, versions = seed.story(bucket)
    seed.promote(bucket, 5, live, previous=live, kind="pin", pinned=True, who="민지", why="nothing new on Christmas")

    models, page = text(site.get("/song2vec/models")), text(site.get(f"/song2vec/models/{live}"))
    other = text(site.get(f"/song2vec/models/{versions[1]}"))

    assert re.search(rf"production pinned {live} nothing new on Christmas pinned by 민지 \S+", models)
    assert "before:" not in models.partition("Versions")[0].partition("candidate")[0]  # it moved from nowhere
    assert f"{live} production pinned accepted 0.171" in models
    assert f"5 production pin {live} 민지" in models
    assert f"{live} accepted production pinned" in page
    assert re.search("production is pinned to this version by 민지 , .*: nothing new on Christmas", page)
    assert "pinned" not in other


def test_who_approved_stands_at_the_end_of_a_long_reason_and_is_shown(site, bucket):
    version = seed.publish(bucket)
    why = "Accepted: " + "one more rule passed; " * 60 + "approved by 민지"
    seed.promote(bucket, 1, version, kind="pin", pinned=True, why=why)

    models, page = text(site.get("/song2vec/models")), text(site.get(f"/song2vec/models/{version}"))

    assert models.count("approved by 민지") == 2  # the card and the history
    assert page.count("approved by 민지") == 2  # the note and the moves


def test_the_page_of_a_version_says_how_playlists_are_continued(site, bucket):
    training = seed.records()["training.json"]
    one_way = seed.publish(bucket)
    two_way = seed.publish(bucket, 1, training=training | {"neighbour_weight": 0.5, "settings": {"neighbours": 100}})

    assert "continued one-way" in text(site.get(f"/song2vec/models/{one_way}"))
    page = text(site.get(f"/song2vec/models/{two_way}"))
    assert "up to 100 neighbours of each song vote too, with weight 0.5" in page


def test_one_epoch_is_a_sentence_and_no_chart(site, bucket):
    training = seed.records()["training.json"]
    version = seed.publish(bucket, training=training | {"epochs": training["epochs"][:1]})

    page = site.get(f"/song2vec/models/{version}")

    assert "1 epoch: 4.942, 51,037 words a second." in text(page)
    assert "polyline" not in page.text


def test_the_page_of_a_version_shows_the_moves_to_it_and_away_from_it(site, bucket):
    live, (fourth, third, rejected, _) = seed.story(bucket)

    def moves(version):
        page = site.get(f"/song2vec/models/{version}").text
        section = page.partition('id="moves"')[2].partition("</section>")[0]
        return re.findall(r'<td class="number">(\d+)</td>', section)

    assert moves(live) == ["3", "2", "1"]
    assert moves(third) == ["3", "2"]
    assert moves(fourth) == ["4"]
    assert moves(rejected) == []


def test_many_versions_are_turned_over_page_by_page(site, bucket):
    for day in range(26):
        seed.publish(bucket, day, metrics=None, funnel=None, decision=None, check_data=None, training=None)

    first, second = site.get("/song2vec/models"), site.get("/song2vec/models?page=2")

    assert len(re.findall(">accepted<", first.text)) == 25
    assert "models?page=2" in first.text
    assert len(re.findall(">accepted<", second.text)) == 1
    assert "models?page=1" in second.text


def test_the_page_of_a_version_shows_the_verdict_the_figures_and_the_files(site, bucket):
    live, (_, _, rejected, _) = seed.story(bucket)

    accepted = text(site.get(f"/song2vec/models/{live}"))
    refused = text(site.get(f"/song2vec/models/{rejected}"))

    assert f"{live} accepted production" in accepted
    assert "Accepted: 300 held-out playlists (at least 20); nDCG@100 0.171 (at least 0.02);" in accepted
    assert "Compared with 20261118T190052Z-0123abcd" in accepted
    assert "min_vs_item_knn 1.049 0.7 +0.3491 yes nDCG@100 1.05 times the 0.163 of item-kNN (at least 0.7)" in accepted
    assert "max_slice_fall of song popularity tail -0.05263 0.2 +0.2526 yes" in accepted
    assert "min_slice_playlists 12 50 −38 abstained" in accepted
    assert seed.ALIGNED in accepted
    assert "this model 0.171 ★ 0.154 to 0.188 0.231 0.211 to 0.251 0.112 ★ 0.301 ★" in accepted
    assert "140 0.205 +0.010 −0.002 to +0.021" in accepted
    assert "40 epochs, from 4.942 to 1.94" in accepted
    assert "The model is that of epoch 35, which ranked best." in accepted
    assert "★ the best of its column. Below a figure: its 95 % interval" in accepted
    assert "unknown_song the collector did not know the song 1,548 2.1 % 72,640 3,050" in accepted
    assert "vector_size 256" in accepted
    assert re.search(r"vectors\.npy 1\.4 KB [0-9a-f]{64}", accepted)
    assert f"{rejected} rejected" in refused
    assert "Refused: nDCG@100 0.018 instead of at least 0.02, missed by 0.002;" in refused
    assert "min_ndcg 0.018 0.02 −0.002 no" in refused


def test_the_longest_verdict_is_shown_cut_and_hides_nothing(site, bucket):
    """A model that misses everything in many parts, as the gate and the evaluation write it."""
    usual = seed.metrics(0.001)
    fallen = usual["slices"][0] | {"live": {"ndcg": 0.5}, "differences": {}}
    parts = [fallen | {"name": f"shop {n}", "sentence": f"{n} " + "노래방 " * 60} for n in range(600)]
    measured = usual | {"slices": parts}
    decision = decide(Metrics.parse(json.dumps(measured).encode()), GateSettings())
    version = seed.publish(bucket, accepted=False, metrics=measured, decision=decision.to_json())

    response = site.get(f"/song2vec/models/{version}")
    page = text(response)

    assert len(decision.sentence) > 100_000
    assert response.status_code == 200
    assert "is not shown" not in page
    assert decision.sentence[:4_000] + "…" in response.text.replace("&#39;", "'")
    assert f"and {len(decision.rules) - 500:,} more rules; those that were missed come first." in page
    assert "and 100 more parts" in page


def test_a_forced_version_shows_the_reason(site, bucket):
    reason = "설날: old songs <b>only"
    usual = seed.records(accepted=False)["decision.json"]
    forced = usual | {"forced": True, "force": reason, "sentence": f"Refused, but forced ({reason}): it is poor."}
    needless = usual | {"accepted": True, "force": reason}
    pages = [
        text(site.get(f"/song2vec/models/{seed.publish(bucket, day, accepted=False, decision=decision)}"))
        for day, decision in enumerate([forced, needless])
    ]

    shown = reason.replace("<b>", "&lt;b&gt;")
    assert f"The gate on the model forced Refused, but forced ({shown}): it is poor." in pages[0]
    assert f"A reason to force it was given for this run, and not needed: {shown}" in pages[1]


def test_the_page_of_a_version_shows_what_was_asked_of_its_data(site, bucket):
    version = seed.publish(bucket)

    page = text(site.get(f"/song2vec/models/{version}"))

    assert "The gate on the data Accepted: no rule was broken." in page
    assert "min_playlists 2,987 10 yes 2,987 playlists (at least 10)" in page
    assert "min_usable_share 0.9695 0.3 yes 97% of the rows are usable (at least 30%)" in page
    assert "max_drop of rows 1.01 0.5 yes 71,950 rows after 71,204 in 20261118T190000Z-5b1e5b1e" in page
    assert "verride" not in page.partition("Settings")[0]


def test_data_that_was_refused_and_trained_on_all_the_same_shows_the_reason(site, bucket):
    usual = seed.records()["check_data.json"]
    reason = "새 수집기: a new collector <b>"
    overridden = seed.records(min_songs=2_000, override=reason)["check_data.json"]
    needless = usual | {"override": reason}
    pages = [
        text(site.get(f"/song2vec/models/{seed.publish(bucket, day, check_data=decision)}"))
        for day, decision in enumerate([overridden, needless])
    ]

    shown = reason.replace("<b>", "&lt;b&gt;")
    verdict = f"Accepted all the same ({shown}): 1,842 songs instead of at least 2,000."
    assert f"The gate on the data overridden {verdict}" in pages[0]
    assert "min_songs 1,842 2,000 no 1,842 songs instead of at least 2,000" in pages[0]
    assert f"An override was given for this run, and not needed: {shown}" in pages[1]


def test_a_version_from_before_the_gate_on_data_has_a_page(site, bucket):
    version = seed.publish(bucket, check_data=None)

    page = text(site.get(f"/song2vec/models/{version}"))

    assert "The gate on the model" in page
    assert "The gate on the data" not in page


def test_similar_songs_are_those_that_the_client_gives(site, bucket, store, tmp_path):
    version = seed.publish(bucket)
    songs, cosines = ModelStore(store, cache=tmp_path / "mine").load(version).similar(50_020, 10)

    response = site.get(f"/song2vec/models/{version}", params={"song": " ５００２０.0 "})

    assert re.findall(r"song=(\d+)#similar", response.text) == [str(song) for song in songs]
    assert re.findall(r'<span class="number">([\d.]+)</span>', response.text) == [f"{cosine:.3f}" for cosine in cosines]


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        (
            "99999",
            "Song 99999 is not in this version: it stands in no playlist, or was seen fewer than train.min_count",
        ),
        ("abc", "“abc” is not a song number"),
        ("-3", "“-3” is not a song number"),
        (str(2**63), "is not a song number"),
        ("1" * 5_000, "too long for a song number"),
        ("?", "“?” is not a song number"),
    ],
)
def test_a_song_that_cannot_be_found_gets_a_friendly_answer(site, bucket, asked, answer):
    version = seed.publish(bucket)

    response = site.get(f"/song2vec/models/{version}", params={"song": asked})

    assert response.status_code == 200
    assert answer in response.text


@pytest.mark.parametrize(
    "name", ["20261119T190000Z-00000000", "production", "20261319T190000Z-00000000", EVIL, "%00", "x" * 3_000]
)
def test_a_version_that_does_not_exist_is_a_friendly_404(site, bucket, name):
    seed.publish(bucket)

    response = site.get(f"/song2vec/models/{quote(name, safe='%')}")

    assert response.status_code == 404
    assert "There is no such" in response.text
    assert "<script" not in response.text


@pytest.mark.parametrize("page", ["0", "-1", "x", "1e9", "99999999999999999999", EVIL])
def test_a_senseless_page_number_is_refused_in_words(site, page):
    response = site.get("/song2vec/models", params={"page": page})

    assert response.status_code == 422
    assert "makes no sense" in response.text


def test_what_is_in_the_bucket_is_shown_as_text_and_never_as_html(site, bucket):
    records = seed.records()
    evil_rule = records["funnel.json"]["rules"][0] | {"rule": EVIL}
    version = seed.publish(
        bucket,
        decision={"accepted": True, "sentence": EVIL, "rules": [seed.rule(EVIL, 1, 1, EVIL)]},
        check_data={
            "accepted": True,
            "overridden": True,
            "sentence": EVIL,
            "override": EVIL,
            "rules": [seed.rule(EVIL, 1, 1, EVIL) | {"of": EVIL}] * 2,
        },
        funnel=records["funnel.json"] | {"rules": [evil_rule]},
        settings={EVIL: {EVIL: EVIL}},
        extra={"<script>.txt": b""},
    )
    seed.promote(bucket, 1, version, who=EVIL, why=EVIL)

    for address in ("models", f"models/{version}", f"models/{version}?song={quote(EVIL)}"):
        response = site.get(f"/song2vec/{address}")
        assert response.status_code == 200
        assert "&lt;script&gt;" in response.text
        assert "<script" not in response.text
        assert not re.search(r"<[^>]*\sonload", response.text)
        assert "{{ 7 * 7 }}" in response.text


@pytest.mark.parametrize(
    "record",
    [
        b"not json",
        b"[1]",
        b'{"model": {"ndcg": NaN}}',
        b'{"model": {"ndcg": 1e999}}',
        b'{"model": {"ndcg": "' + b"x" * 3_000 + b'"}}',
        b"[" * 50_000,
        b'{"playlists": -1, "model": {}}',
        b'{"playlists": ' + b"9" * 5_000 + b', "model": {}}',
    ],
    ids=["no JSON", "a list", "NaN", "infinity", "text", "deep", "negative", "huge"],
)
def test_a_record_of_another_form_is_left_out_and_said_so(site, bucket, record):
    version = seed.publish(bucket, metrics=record)

    listed, page = site.get("/song2vec/models"), site.get(f"/song2vec/models/{version}")

    assert (listed.status_code, page.status_code) == (200, 200)
    assert "metrics.json is not shown" in page.text
    assert "Accepted: 300 held-out playlists" in page.text


def test_a_file_that_is_not_what_the_manifest_says_is_never_shown(site, bucket):
    version = seed.publish(bucket)
    forged = json.dumps({"model": {"ndcg": 0.987654}}).encode()
    bucket.put(file_name(version, "metrics.json"), forged)
    bucket.put(file_name(version, "vectors.npy"), seed.npy(np.ones((40, 8), np.float32)))

    page, asked = site.get(f"/song2vec/models/{version}"), site.get(f"/song2vec/models/{version}?song=50001")

    assert "0.988" not in page.text
    assert "metrics.json is not shown" in page.text
    assert asked.status_code == 502
    assert "damaged" in asked.text


def test_a_damaged_version_channel_or_move_hides_nothing_else(site, bucket, store):
    live, versions = seed.story(bucket)
    bucket.put(file_name(versions[0], "manifest.json"), b"{}")
    bucket.put(channel_name("candidate"), b'{"format": 1}')
    bucket.put(move_name(4), b"[]")
    blob(store, file_name(versions[1], "metrics.json")).delete()

    response = site.get("/song2vec/models")
    page = text(response)

    assert response.status_code == 200
    assert f"{versions[0]} damaged" in page
    assert "Move 4 is not shown" in page
    assert f"production {live}" in page
    assert "production rollback" in page
    assert site.get(f"/song2vec/models/{versions[0]}").status_code == 502


@pytest.mark.usefixtures("gcs")
def test_a_bucket_that_is_not_there_is_explained(tmp_path):
    app = create_app(lambda: ModelStore("gs://no-such-bucket-anywhere/models", cache=tmp_path))
    with serving(app) as browser:
        response = browser.get("/models")

    assert response.status_code == 502
    assert "The model store cannot be reached" in response.text
    assert "gs://no-such-bucket-anywhere/models" in response.text


def test_a_store_that_does_not_answer_is_explained(monkeypatch, tmp_path):
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:9")  # nobody listens there
    bucket = Bucket.open("gs://models/models", deadline=0.5)
    with serving(create_app(lambda: ModelStore.of(bucket, cache=tmp_path))) as browser:
        response = browser.get("/models")

    assert response.status_code == 503
    assert "The model store does not answer" in response.text
    assert "Services keep the model that they have" in response.text


def test_the_pages_come_back_when_the_store_does(store, tmp_path):
    addresses = iter(["s3://wrong", store])
    with serving(create_app(lambda: ModelStore(next(addresses), cache=tmp_path))) as browser:
        assert browser.get("/models").status_code == 502
        assert browser.get("/models").status_code == 200


def test_every_answer_forbids_scripts_and_other_peoples_frames(site, bucket):
    version = seed.publish(bucket)

    for address in ("models", f"models/{version}", "models/x", "models?page=x", "static/style.css", "nothing"):
        response = site.get(f"/song2vec/{address}")
        policy = response.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'self'" in policy
        assert "unsafe" not in policy
        assert response.headers["x-content-type-options"] == "nosniff"
        assert response.headers["cache-control"].startswith("private")


def test_the_pages_need_nothing_that_the_policy_forbids(site, bucket):
    version = seed.publish(bucket)

    for address in ("models", f"models/{version}?song=50001"):
        html = site.get(f"/song2vec/{address}").text
        assert not re.search(r"<script|<style|\sstyle=|\son\w+=|https?://", html)
        for linked in re.findall(r'<link rel="\w+" href="([^"]+)"', html):
            assert site.get(linked).status_code == 200


def test_only_the_two_static_files_are_served(site):
    assert site.get("/song2vec/static/style.css").headers["content-type"].startswith("text/css")
    assert site.get("/song2vec/static/icon.svg").headers["content-type"] == "image/svg+xml"
    for name in ("../app.py", "..%2fapp.py", "app.py", "%2e%2e/app.py"):
        assert site.get(f"/song2vec/static/{name}").status_code == 404


def test_there_is_a_way_in_from_the_root(site):
    assert site.get("/song2vec/", follow_redirects=True).url.path == "/song2vec/models"


def test_every_address_asks_the_dependencies_first(store, tmp_path):
    def nobody():
        raise HTTPException(401)

    app = create_app(lambda: ModelStore(store, cache=tmp_path), dependencies=[Depends(nobody)])
    routes: Any = app.routes
    with serving(app) as browser:
        answers = [browser.get(route.path.replace("{version}", "x").replace("{name}", "x")) for route in routes]

    assert len(answers) >= 4
    assert {answer.status_code for answer in answers} == {401}
    assert all("Please log in" in answer.text for answer in answers)


def test_a_fault_of_our_own_is_a_page_too_and_tells_nothing():
    def broken():
        raise RuntimeError("secret-of-the-server")

    with serving(create_app(broken)) as browser:
        response = browser.get("/models")

    assert response.status_code == 500
    assert "This page has a fault" in response.text
    assert "secret-of-the-server" not in response.text
    assert "content-security-policy" in response.headers
