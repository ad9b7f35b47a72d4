"""What counts as a song number.

The original pipeline wrote ``str(int(x))``. Here every raw text has one documented outcome:

========================================= ================================================================
raw text                                  outcome
========================================= ================================================================
``12345``, ``00123``, ``+7``              12345, 123, 7
``12345.0``, ``12345.``                   12345: pandas writes whole numbers so where a column has gaps
blanks around: `` 12345 ``                12345; blank is a space, tab, line end, no-break or full-width
                                          space, or byte order mark
full width: ``１２３４５``, ``１２．０``  12345, 12
``?`` (``prepare.unknown_song``)          rule ``unknown_song``, blanks around it or not
null, empty, only blanks, ``nan``         rule ``no_song``; ``nan`` in any case: a gap in a column of floats
``0``, ``-3``                             rule ``bad_song``: catalogue numbers start at 1
``12345.5``                               rule ``bad_song``: rounding would name another song
``1e5``, ``1.23457E+11``                  rule ``bad_song``: a spreadsheet has rounded it, the digits are lost
``9223372036854775808`` (2^63) and above  rule ``bad_song``: does not fit an INT64
``1,234``, ``1_000``, ``0x10``, ``abc``   rule ``bad_song``
========================================= ================================================================
"""

import re

BLANKS = " \t\r\n\v\f\u00a0\u3000\ufeff"
_TO_NARROW = str.maketrans("０１２３４５６７８９．", "0123456789.")
_WHOLE_NUMBER = re.compile(r"\+?([0-9]+)(?:\.0*)?")
_LARGEST = 2**63 - 1


def read_song(raw: str | None, unknown: str = "?") -> tuple[int | None, str | None]:
    """The number that `raw` stands for, or the rule that leaves it out.

    Args:
        raw: the text as the source gave it.
        unknown: what the collector writes where it did not know the number.

    Returns:
        ``(number, None)`` with 1 ≤ number < 2^63, or ``(None, rule)`` with rule ``unknown_song``,
        ``no_song`` or ``bad_song``.
    """
    text = (raw or "").strip(BLANKS).translate(_TO_NARROW)
    if raw is not None and text == unknown:
        return None, "unknown_song"
    if text.lower() in ("", "nan"):
        return None, "no_song"
    match = _WHOLE_NUMBER.fullmatch(text)
    digits = match[1].lstrip("0") if match else ""
    if not digits or len(digits) > 19 or int(digits) > _LARGEST:
        return None, "bad_song"
    return int(digits), None
