"""What is measured of a model: figures by playlist, their intervals, comparisons, and the page that shows them.

- `ranking`: nDCG, HR, R-precision, recall and MRR of each playlist
- `beyond_accuracy`: coverage, popularity bias, and what cannot be found
- `bootstrap`: how sure a figure is: intervals by resampling playlists
- `compare`: recommenders beside each other on the same playlists
- `slices`: parts of the playlists that are measured on their own
- `stability`: which songs stay near which from one model to the next
- `text`: tables and sentences for people
"""
