"""Songs and playlists as they pass from stage to stage: in memory, in Parquet, and as counts.

- `songs`: what counts as a song number
- `tables`: the schema of every Parquet file between stages
- `corpus`: in memory: lists end to end, and the vocabulary that gives songs their rows
- `playlist_file`: ``playlists.parquet``, a batch at a time, without what is held out
- `heldout_file`: ``heldout.parquet``: what is shown and what is hidden
- `holdout_rule`: the rule that playlists were held out by
- `distinct`: the distinct numbers of many arrays, with counts
- `changes`: what changed from one state of the data to the next
- `funnel`: how many rows and playlists each rule left out
"""
