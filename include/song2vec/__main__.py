"""``python -m song2vec``: the command line."""

import sys

from song2vec.cli.main import main

sys.exit(main())
