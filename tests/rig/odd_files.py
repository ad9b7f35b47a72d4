"""Collected files as odd as people make them: what each holds that can be used, and why some are left out whole."""

import gzip
import io
import unicodedata
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tests.rig.genres import genre_playlists

HEADER = "Category,master_number"
PICTURE = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x10\0\0\0\x10\x08\2\0\0\0" + bytes(range(256))


@dataclass(frozen=True)
class OddFile:
    """One file and what becomes of it.

    Attributes:
        name: as it lies on the disk.
        playlists: its songs by category, all that is kept of it.
        left_out: rows in quarantine; 1 for a file that is left out whole.
        problem: how the reason begins for which it is left out whole; empty: it is read.
    """

    name: str
    content: bytes
    playlists: Mapping[str, Sequence[int]] = field(default_factory=dict)
    left_out: int = 0
    problem: str = ""


def odd_files() -> list[OddFile]:
    """Files of every kind, the playlists of each in a category of its own."""
    return [*_readable(), *_readable_but_for_some_lines(), *_left_out_whole()]


def _readable() -> list[OddFile]:
    songs = genre_playlists(8, seed=7)
    quoted = [f'따옴표,"말 ""둘\n셋"", 넷",{song}' for song in songs[6]]
    bundle = _zip(
        {
            "__MACOSX/._첫째.csv": PICTURE,
            "읽어 주세요.md": b"not a CSV",
            "첫째.csv": _csv("묶음 하나", songs[4]).encode("cp949"),
            "속/둘째.tsv": _csv("묶음 둘", songs[5], delimiter="\t").encode("utf-16"),
        }
    )
    excel = _csv("엑셀", songs[2], delimiter="\t", end="\r\n").encode("utf-16")
    semicolons = _csv("세미콜론", songs[3], delimiter=";", end="\r\n").encode("utf-8-sig")
    return [
        OddFile("좋은 목록.csv", _csv("좋은", songs[0]).encode(), {"좋은": songs[0]}),
        OddFile("발라드 모음 (1).csv", _csv("발라드", songs[1]).encode("cp949"), {"발라드": songs[1]}),
        OddFile("엑셀.csv", excel, {"엑셀": songs[2]}),
        OddFile("세미콜론.CSV", semicolons, {"세미콜론": songs[3]}),
        OddFile("둘 묶음.zip", bundle, {"묶음 하나": songs[4], "묶음 둘": songs[5]}),
        OddFile(
            "따옴표.csv", "\n".join(["Category,제목,master_number", *quoted]).encode("cp949"), {"따옴표": songs[6]}
        ),
        OddFile(
            unicodedata.normalize("NFD", "맥에서.csv.gz"),
            gzip.compress(_csv("맥", songs[7]).encode()),
            {"맥": songs[7]},
        ),
    ]


def _readable_but_for_some_lines() -> list[OddFile]:
    songs = genre_playlists(2, seed=8)
    broken = [b"one field", b"a,1001,third", b"a\0b,1001", b"\xff\xfe\xfd,1001", b'"never closed,1001']
    lines = _csv("부서진", songs[0]).encode().splitlines()
    for number, line in enumerate(broken):
        lines.insert(2 * number + 1, line)
    written = [f"{songs[1][0]}.0", f" {songs[1][1]} ", f"0{songs[1][2]}", _full_width(songs[1][3])]
    unusable = ["?", "", "1e5", "-3", "12345.5", str(2**63)]
    people = "\n".join([HEADER, *[f"사람,{song}" for song in [*written, *unusable, *songs[1][4:]]], ",1001"])
    return [
        OddFile("부서진 줄.csv", b"\n".join(lines), {"부서진": songs[0]}, left_out=len(broken)),
        OddFile("사람이 쓴 번호.csv", people.encode("cp949"), {"사람": songs[1]}, left_out=len(unusable) + 1),
    ]


def _left_out_whole() -> list[OddFile]:
    (songs,) = genre_playlists(1, seed=9)
    plain = _csv("없는", songs)
    whole = {
        "사진.csv": (PICTURE, "it contains zero bytes and no header, so it is not text"),
        "빈 파일.csv": (b"", "it is empty; expected a header"),
        "두 번.csv": (
            plain.replace(HEADER, f"{HEADER},MASTER_NUMBER").encode(),
            "its header has more than one column 'master_number'",
        ),
        "머리글 없음.csv": (plain.removeprefix(HEADER).strip().encode(), "its header has no column 'Category'"),
        "잘린.csv.gz": (gzip.compress(plain.encode())[:-12], "Compressed file ended"),
        "통합 문서.csv": (_zip({"xl/workbook.xml": b"<workbook/>"}), "it is a zip file (as a workbook is)"),
    }
    return [
        OddFile(name, content, left_out=1, problem=f"the file cannot be read: {why}")
        for name, (content, why) in whole.items()
    ]


def _csv(category: str, songs: Sequence[int], *, delimiter: str = ",", end: str = "\n") -> str:
    lines = [HEADER, *[f"{category},{song}" for song in songs]]
    return end.join(lines).replace(",", delimiter)


def _zip(members: Mapping[str, bytes]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, inside in members.items():
            archive.writestr(name, inside)
    return content.getvalue()


def _full_width(song: int) -> str:
    return "".join(chr(ord(digit) - ord("0") + ord("\uff10")) for digit in str(song))
