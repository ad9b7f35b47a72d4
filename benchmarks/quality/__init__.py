"""What `bench_quality` measures our models beside, and how.

- `data`: the playlists that everyone learns from, and those that everyone continues
- `ease`, `ials`: two strong rivals that the pipeline does not have
- `rivals`: all of them, with what of each is tuned
- `tuning`: the settings of each, chosen on the valid part
- `models`: ours and gensim's, trained by the command line
"""
