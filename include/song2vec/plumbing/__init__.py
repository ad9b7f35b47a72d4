"""What every room may use and none is about: files, threads, progress, logs, signals, arrays, axes.

- `files`: files and folders that appear whole or not at all
- `threads`: work side by side, with results in order
- `progress`: how far long work is: a bar, or lines in a log
- `logs`: tables and long text in a log
- `interrupt`: being asked to stop
- `arrays`: numbers between numpy and Arrow
- `axes`: the marks on the axes of charts
"""
