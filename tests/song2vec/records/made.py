"""Records as stages may build them, of any content."""

from hypothesis import strategies as st

from song2vec.playlists.changes import Changes, PlaylistChanges, SongChanges
from song2vec.playlists.holdout_rule import HoldoutRule
from song2vec.records import (
    ByRecommender,
    DataDecision,
    Decision,
    Difference,
    Differences,
    Epoch,
    Figures,
    Funnel,
    FunnelRule,
    GoldenAnswer,
    GoldenSongs,
    GoldenWish,
    HowAligned,
    Metrics,
    Protocol,
    Rule,
    Slice,
    Spans,
    Stability,
    Training,
)
from song2vec_client.format.alignment import Distances

COUNTS = st.integers(0, 2**63 - 1)
REALS = st.floats(allow_nan=False, allow_infinity=False)
NUMBERS = REALS | st.integers(-(2**63), 2**63 - 1)
WORKED_OUT = st.none() | st.floats()  # NaN and infinity too
TEXTS = st.text(max_size=30) | st.builds(lambda text, times: text * times, st.text(min_size=1), st.integers(1, 3_000))
VERSIONS = st.none() | st.just("20260131T040000Z-0123abcd")
METRICS = tuple(Figures.model_fields)
RIVALS = ("live", "popularity", "item_knn")


def some(build, values, names=METRICS):
    """What `build` makes of some of the fields `names`: others are not given."""
    return st.dictionaries(st.sampled_from(names), values).map(lambda fields: build(**fields))


INTERVALS = st.tuples(REALS, REALS)
FIGURES = some(Figures, WORKED_OUT)
SPANS = some(Spans, st.none() | st.tuples(st.floats(), st.floats()))
DIFFERENCES = some(Differences, st.builds(Difference, mean=REALS, interval=INTERVALS))
COMPARED = st.fixed_dictionaries(
    {
        "playlists": COUNTS,
        "model": FIGURES,
        "intervals": some(ByRecommender[Spans], SPANS, ("model", *RIVALS)),
        "differences": some(ByRecommender[Differences], DIFFERENCES, RIVALS),
    },
    optional=dict.fromkeys(RIVALS, FIGURES),
)
SLICES = st.builds(lambda compared, **named: Slice(**named, **compared), COMPARED, by=TEXTS, name=TEXTS, sentence=TEXTS)
PROTOCOLS = st.builds(Protocol, ndcg=TEXTS, live=TEXTS, top=COUNTS, vocabulary=COUNTS)
STABILITIES = st.builds(
    Stability,
    version=TEXTS,
    at=COUNTS,
    sampled=COUNTS,
    neighbours_kept=WORKED_OUT,
    songs_kept=COUNTS,
    songs_new=COUNTS,
    songs_gone=COUNTS,
)
GOLDEN_ANSWERS = st.builds(
    GoldenAnswer,
    asked=st.lists(COUNTS, min_size=1, max_size=7).map(tuple),
    song=COUNTS,
    nearest_of=COUNTS,
    place=st.none() | COUNTS,
    unknown=COUNTS,
    met=st.none() | st.booleans(),
)
GOLDEN_WISHES = st.builds(
    GoldenWish,
    kind=st.sampled_from(["must", "never"]),
    number=COUNTS,
    playlist=st.booleans(),
    within=COUNTS,
    why=TEXTS,
    answers=st.lists(GOLDEN_ANSWERS, max_size=4).map(tuple),
)
GOLDEN_SONGS = st.builds(
    GoldenSongs, sha256=TEXTS, min_count=st.none() | COUNTS, wishes=st.lists(GOLDEN_WISHES, max_size=4).map(tuple)
)
METRICS_RECORDS = st.builds(
    lambda compared, more, **fields: Metrics(**compared, **more, **fields),
    COMPARED,
    st.fixed_dictionaries({}, optional={"live_version": TEXTS, "stability": STABILITIES, "golden_songs": GOLDEN_SONGS}),
    protocol=PROTOCOLS,
    hidden_unknown_share=WORKED_OUT,
    hidden_unknown_interval=st.tuples(st.floats(), st.floats()),
    slices=st.lists(SLICES, max_size=6).map(tuple),
)

RULES = st.builds(
    Rule,
    rule=TEXTS,
    of=TEXTS,
    figure=st.none() | st.floats() | NUMBERS,
    limit=NUMBERS,
    margin=st.none() | st.floats() | NUMBERS,
    passed=st.none() | st.booleans(),
    sentence=TEXTS,
)
DECISIONS = st.builds(
    Decision,
    accepted=st.booleans(),
    forced=st.booleans(),
    force=TEXTS,
    live_version=VERSIONS,
    sentence=TEXTS,
    rules=st.lists(RULES, max_size=20).map(tuple),
)
CHANGES = st.builds(
    Changes,
    st.builds(PlaylistChanges, new=COUNTS, gone=COUNTS, changed=COUNTS, same=COUNTS),
    st.builds(SongChanges, new=COUNTS, gone=COUNTS, same=COUNTS),
)
DATA_DECISIONS = st.builds(
    DataDecision,
    accepted=st.booleans(),
    overridden=st.booleans(),
    override=TEXTS,
    sentence=TEXTS,
    rules=st.lists(RULES, max_size=20).map(tuple),
    live_version=VERSIONS,
    changes=st.none() | CHANGES,
)

IN_AND_OUT = st.tuples(COUNTS, COUNTS).map(lambda pair: (max(pair), min(pair)))
FUNNELS = st.builds(
    Funnel,
    rules=st.lists(st.builds(FunnelRule.of, TEXTS, IN_AND_OUT, IN_AND_OUT), max_size=10).map(tuple),
    raw_rows=COUNTS,
    rows=COUNTS,
    playlists=COUNTS,
    songs=COUNTS,
    heldout=COUNTS,
    fingerprint=TEXTS,
)

DISTANCES = st.builds(Distances, *[st.floats(0, 2)] * 3)
ALIGNMENTS = st.builds(HowAligned, sentence=TEXTS, aligned=st.just(False)) | st.builds(
    HowAligned,
    sentence=TEXTS,
    aligned=st.just(True),
    to=VERSIONS,
    shared_songs=COUNTS,
    before=DISTANCES,
    after=DISTANCES,
)
EPOCHS = st.builds(
    lambda more, **fields: Epoch(**fields, **more),
    st.fixed_dictionaries({}, optional={"ndcg": st.floats(0, 1)}),
    epoch=COUNTS,
    loss=WORKED_OUT,
    words_per_second=COUNTS,
    seconds=REALS,
)
JSON = st.recursive(
    st.none() | st.booleans() | REALS | st.integers() | TEXTS,
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=8,
)
TRAININGS = st.builds(
    Training,
    trainer=TEXTS,
    settings=st.dictionaries(st.text(), JSON, max_size=5),
    songs=COUNTS,
    playlists=COUNTS,
    words=COUNTS,
    held_out=st.none() | st.builds(HoldoutRule, st.integers(), TEXTS),
    validation_playlists=COUNTS,
    best_epoch=COUNTS,
    neighbour_weight=WORKED_OUT,
    epochs=st.lists(EPOCHS, max_size=20).map(tuple),
    alignment=ALIGNMENTS,
    started=TEXTS,
    finished=TEXTS,
    seconds=REALS,
)

RECORDS = FUNNELS | DATA_DECISIONS | TRAININGS | METRICS_RECORDS | DECISIONS
