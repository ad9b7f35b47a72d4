"""The settings of what is done with a trained model: none of them changes it."""

from functools import partial
from typing import Literal

from song2vec.settings import section
from song2vec.settings.section import Ratio, Section, Share

setting = partial(section.setting, affects_model=False)


class GateSettings(Section):
    """What a model must reach before `production` may point to it."""

    min_playlists: int = setting(
        20, "Fewest held-out playlists a verdict may rest on.", unit="playlists", ge=1, le=1_000_000
    )
    min_ndcg: Share = setting(0.02, "Lowest nDCG on the held-out playlists.")
    min_hit_rate: Share = setting(0.02, "Lowest HR@10 on the held-out playlists.")
    min_vs_popularity: Ratio = setting(
        1.0, "Lowest nDCG as a multiple of what recommending popular songs reaches.", unit="times"
    )
    min_vs_item_knn: Ratio = setting(0.7, "Lowest nDCG as a multiple of what item-kNN reaches.", unit="times")
    max_fall: Share = setting(
        0.05,
        "How far nDCG may fall below that of the live version, as a share of it. A fall that may be chance (the 95 % "
        "interval of the difference holds 0) is let through.",
    )
    max_coverage_fall: Share = setting(
        0.5, "How far the share of the songs that are ever recommended may fall below the live version's."
    )
    min_neighbours_kept: Share = setting(
        0.1, "Lowest share of a song's 10 nearest neighbours in the live version that are so again."
    )
    min_slice_playlists: int = setting(
        50,
        "Fewest playlists of a slice (short ones, rare songs, …) to judge it by.",
        unit="playlists",
        ge=1,
        le=1_000_000,
    )
    min_slice_ndcg: Share = setting(0.0, "Lowest nDCG on every slice.", zero="not asked")
    min_slice_vs_popularity: Ratio = setting(
        0.0,
        "Lowest nDCG on every slice as a multiple of what popular songs reach there.",
        unit="times",
        zero="not asked",
    )
    max_slice_fall: Share = setting(
        0.2, "As `max_fall`, on every slice; the interval is widened, as many slices are looked at."
    )
    golden_songs: str = setting(
        "",
        "File of golden songs: which songs a model must, or must never, find near others (docs/gate.md shows one).",
        empty="none are asked for",
        max_length=4_096,
    )
    force: str = setting(
        "",
        "Why a model that these rules refuse is to be promoted all the same; for one run. The reason is recorded with "
        "the version, and in the history of the channel.",
        empty="the rules decide",
        max_length=500,
    )
    approval: bool = setting(False, "Whether a person must approve in Airflow before the channel is moved.")
    approval_hours: float = setting(12.0, "How long the run waits for the answer.", unit="hours", gt=0, le=720)
    approval_default: Literal["Reject", "Approve"] = setting(
        "Reject", "What counts as the answer when nobody answered in time."
    )


class PublishSettings(Section):
    """The published version."""

    channel: str = setting(
        "production",
        "The channel that is moved to the new version when the gate accepts it.",
        pattern=r"^[a-z][a-z0-9-]{0,62}$",
    )


class RetentionSettings(Section):
    """Which versions stay when old ones are deleted; what is live, or was before it, always does."""

    after_run: Literal["off", "show", "delete"] = setting(
        "off", "At the end of a run: nothing, show which versions would go, or delete them."
    )
    keep_versions: int = setting(10, "How many of the newest versions stay.", unit="versions", ge=1, le=100_000)
    keep_days: int = setting(7, "Versions published less than this ago stay.", unit="days", ge=0, le=36_500)
    keep_moves: int = setting(
        20,
        "How many of a channel's last moves count; the versions they name stay.",
        unit="moves",
        ge=1,
        le=100_000,
    )
    orphan_hours: int = setting(
        24,
        "What a crashed upload left behind goes when nothing was added to it for so long; longer than any upload of "
        "one file takes.",
        unit="hours",
        ge=3,
        le=8_760,
    )
