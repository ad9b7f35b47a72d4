"""Files of golden songs."""

import json
from pathlib import Path
from typing import Any


def must(songs: Any, bring: Any, within: Any, why: str = "a test", **more: Any) -> str:
    """An entry as people write it, or with a mistake; `more`: keys that are written too."""
    return entry("must", songs=songs, bring=bring, within=within, why=why, **more)


def never(songs: Any, bring: Any, within: Any, why: str = "a test", **more: Any) -> str:
    """The same of songs that must not come."""
    return entry("never", songs=songs, bring=bring, within=within, why=why, **more)


def entry(kind: str, **keys: Any) -> str:
    """An entry with these keys: what JSON writes is TOML too, for texts, numbers and lists."""
    return "\n".join(
        [f"[[{kind}]]", *(f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in keys.items()), ""]
    )


def write_golden(path: Path, *entries: str) -> Path:
    """Write the file."""
    path.write_text("\n".join(entries), encoding="utf-8")
    return path
