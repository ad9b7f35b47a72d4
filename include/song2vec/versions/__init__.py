"""Published versions as the pipeline reads them: the live one, all of them, and what differs between two."""
