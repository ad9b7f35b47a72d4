"""What the page of a version makes of the records."""

import itertools
import json

from tests.song2vec_ui.seed import records

from song2vec.records import Epoch, Funnel, FunnelRule, Metrics
from song2vec_ui.quality import DOTS_MARGIN, DOTS_WIDTH, metric_titles, quality, rivals
from song2vec_ui.version_page import funnel_bars, loss_chart, settings_groups


def parsed(kind, record):
    return kind.parse(json.dumps(record).encode())


def test_the_best_figure_of_every_column_is_marked_and_missing_ones_never_win():
    metrics = Metrics.model_validate(
        {
            "model": {"ndcg": 0.2, "hit_rate": 0.1},
            "item_knn": {"ndcg": 0.1, "hit_rate": 0.3},
            "popularity": {"ndcg": 0.2},
        }
    )

    lines = {rival.title: [(cell.value, cell.best) for cell in rival.cells] for rival in rivals(metrics)}

    assert lines["this model"] == [(0.2, True), (0.1, False)]
    assert lines["item-kNN"] == [(0.1, False), (0.3, True)]
    assert lines["popular songs"] == [(0.2, True), (None, False)]


def test_nobody_is_the_best_by_coverage_or_popularity_bias():
    metrics = Metrics.model_validate({"model": {"coverage": 0.2, "popularity_bias": 3.0}})

    (line,) = rivals(metrics)

    assert [cell.best for cell in line.cells] == [False, False]


def test_figures_have_their_intervals():
    metrics = parsed(Metrics, records()["metrics.json"])

    cells = {rival.title: rival.cells for rival in rivals(metrics)}

    model = cells["this model"][0]
    assert model.span
    assert model.value
    assert model.span[0] < model.value < model.span[1]
    assert cells["popular songs"][0].span is None


def test_every_part_is_a_line_of_dots_on_one_scale_with_the_model_on_top():
    page = quality(parsed(Metrics, records()["metrics.json"]))

    assert [part.name for part in page.parts] == ["all playlists", "short", "long", "head", "tail", "mariadb", "csv"]
    for part in page.parts:
        assert part.dots[-1].name == "model"
        assert all(DOTS_MARGIN <= dot.at <= DOTS_WIDTH - DOTS_MARGIN for dot in part.dots)
        assert all(dot.span[0] <= dot.at <= dot.span[1] for dot in part.dots if dot.span)
    ends = [dot.span[1] for part in page.parts for dot in part.dots if dot.span]
    assert max(ends) == DOTS_WIDTH - DOTS_MARGIN
    by_figure = sorted(page.parts, key=lambda part: part.figure or 0)
    assert [part.dots[-1].at for part in by_figure] == sorted(part.dots[-1].at for part in page.parts)


def test_what_moved_is_said():
    page = quality(parsed(Metrics, records()["metrics.json"]))

    assert any("the others keep 71% of their 10 nearest neighbours" in sentence for sentence in page.sentences)


def test_the_titles_say_how_many_recommendations_were_looked_at():
    metrics = Metrics.model_validate({"protocol": {"top": 50}, "model": {"ndcg": 0.1, "hit_rate": 0.1, "recall": 0.1}})

    assert metric_titles(metrics) == ("nDCG@50", "HR@10", "recall@50")


def test_a_baseline_that_was_not_measured_has_no_line():
    lines = rivals(Metrics.model_validate({"model": {"ndcg": 0.2}}))

    assert [line.title for line in lines] == ["this model"]


def test_the_bars_of_the_funnel_are_shares_of_the_raw_rows():
    bars = funnel_bars(parsed(Funnel, records()["funnel.json"]))

    for before, after in itertools.pairwise(bars):
        assert abs(before.kept - after.kept - after.left) < 0.02  # percents, rounded to two places
    assert abs(bars[0].kept + bars[0].left - 100) < 0.02
    assert bars[2].meaning == "the collector did not know the song"


def test_an_unknown_rule_and_an_empty_funnel_are_shown_all_the_same():
    empty = Funnel(rules=(), raw_rows=0, rows=0, playlists=0)
    rule = FunnelRule.of("tomorrow", (0, 0), (0, 0))

    (bar,) = funnel_bars(empty.model_copy(update={"rules": (rule,)}))

    assert (bar.meaning, bar.kept, bar.left) == ("", 0, 0)
    assert funnel_bars(empty) == ()


def test_the_loss_is_drawn_over_the_epochs_that_recorded_one():
    chart = loss_chart([Epoch(epoch=1, loss=4.0, words_per_second=10), Epoch(epoch=2), Epoch(epoch=3, loss=2.0)])

    assert (chart.first, chart.last, chart.epochs, chart.words_per_second) == (4.0, 2.0, 3, 10)
    assert loss_chart([Epoch(epoch=1)]) is None


def test_settings_of_any_form_become_short_text():
    groups = settings_groups(
        {"train": {"epochs": 5, "query": "", "nested": {"노래": [1]}, "long": "x" * 999}, "stray": 3}
    )

    (group,) = groups
    rows = dict(group.rows)
    assert group.name == "train"
    assert (rows["epochs"], rows["query"], rows["nested"]) == ("5", "–", '{"노래": [1]}')
    assert len(rows["long"]) < 250
