"""Songs and playlists as they pass from stage to stage: in memory and in Parquet; and what leaves some out.

- `rules`: the rules that leave rows and playlists out
- `songs`: what counts as a song number
- `tables`: the schema of every Parquet file between stages
- `corpus`: in memory: lists end to end, and the vocabulary that gives songs their rows
- `playlist_file`: ``playlists.parquet``, a batch at a time, without what is held out
- `heldout_file`: ``heldout.parquet``: what is shown and what is hidden
- `holdout_rule`: the rule that playlists were held out by
- `distinct`: the distinct numbers of many arrays, with counts
- `similarity`: how alike two songs are by the playlists that hold both
- `changes`: what changed from one state of the data to the next
"""
