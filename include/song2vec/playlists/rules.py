"""The rules that leave rows and playlists out."""

RULES = {
    "unreadable": "the line or file could not be read",
    "no_playlist": "the playlist's id is missing",
    "unknown_song": "the collector did not know the song",
    "no_song": "the song's number is missing",
    "bad_song": "the song is not a whole number from 1 to 2^63 - 1",
    "short_playlist": "the playlist has too few songs",
}
"""The rules by name, in the order they are applied, with what each leaves out."""
