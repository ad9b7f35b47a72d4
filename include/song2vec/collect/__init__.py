"""Stage `collect`: playlists out of collected CSV files, as they are."""

from song2vec.collect.collecting import collect, find_csvs, groups

__all__ = ["collect", "find_csvs", "groups"]
