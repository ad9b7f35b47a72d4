"""Songs and playlists as they pass from stage to stage: in memory, in Parquet, and as counts."""
