"""What every room may use and none is about: files, threads, progress, logs, signals, arrays."""
