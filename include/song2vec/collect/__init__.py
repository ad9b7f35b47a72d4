"""Stage `collect`: playlists out of collected CSV files, as they are.

- `collecting`: the stage: one file becomes one Parquet file; which files there are
- `containers`: the file on the disk: plain, gzip or zip, repeated, or still being written
- `csv_rows`: from a CSV to batches of rows: its delimiter and its two columns
- `csv_plain`: the fast way: blocks of plain lines, by Arrow
- `csv_text`: the careful way: the encoding, then record by record, with what is wrong with each
"""

from song2vec.collect.collecting import collect, find_csvs, groups

__all__ = ["collect", "find_csvs", "groups"]
