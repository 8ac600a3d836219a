"""What pictures and PDFs cost: their size, read from the head of the base64 text, and their tokens.

Nothing is decoded but the first bytes of a picture, where PNG, JPEG, GIF and WebP keep the size.
Sources: Anthropic's vision page (patches of 28 pixels, two resolution tiers); recorded counts for
the three tokens around each picture and for the 27-pixel patches of Claude 3.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as Base64Error
from dataclasses import dataclass
from math import ceil
from typing import Literal

Tier = Literal["standard", "high"]

HEAD_BYTES = 3_072
"""Bytes decoded at first; a JPEG with a large preview inside keeps its size further back."""

DEEP_BYTES = 393_216
"""Bytes decoded when the first do not hold the size: at most six segments of a JPEG's metadata."""

PDF_CHARACTERS = 1_500_000
"""Of a bigger PDF only so much is read at each end: the whole would take tens of milliseconds."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one resolution tier: the longest edge in pixels, and the most patches of a picture."""

    edge: int
    patches: int


LIMITS: dict[Tier, Limits] = {"standard": Limits(1568, 1568), "high": Limits(2576, 4784)}


def image_size(data: str) -> tuple[int, int] | None:
    """Width and height in pixels of a base64 picture, or None when its head does not tell."""
    head = _decode(data, HEAD_BYTES)
    size = _size(head)
    if size is None and head[:2] == b"\xff\xd8" and len(data) > HEAD_BYTES:
        size = _size(_decode(data, DEEP_BYTES))
    return size if size and 0 not in size else None


def image_tokens(width: int, height: int, tier: Tier, patch: int = 28) -> int:
    """Tokens of a picture of this size: its patches, after it has been scaled down to its tier.

    ``patch`` is the edge of a patch in pixels, 27 for Claude 3.
    """
    limits = LIMITS[tier]
    long, short = max(width, height), min(width, height)
    edge = min(long, limits.edge)
    if _patches(edge, short * edge / long, patch) > limits.patches:
        # The largest whole number of pixels for the long edge that stays within the limit.
        fits = 1
        while edge - fits > 1:
            middle = (fits + edge) // 2
            if _patches(middle, short * middle / long, patch) > limits.patches:
                edge = middle
            else:
                fits = middle
        edge = fits
    return _patches(edge, short * edge / long, patch)


def pdf_pages(data: str) -> int | None:
    """The number of pages that a base64 PDF declares, or None when it is packed out of sight."""
    if len(data) <= 2 * PDF_CHARACTERS:
        parts = [_decode(data, len(data))]
    else:
        tail = len(data) - PDF_CHARACTERS
        parts = [_decode(data, PDF_CHARACTERS), _decode(data[tail - tail % 4 :], len(data))]
    pages = sum(len(_PAGE.findall(part)) for part in parts)
    counts = [int(number) for part in parts for number in _PAGE_COUNT.findall(part)]
    if len(parts) > 1:
        # The pages in between were not looked at: only a declared number can be believed.
        return max(counts, default=None)
    return max([pages, *counts]) or None


_PAGE = re.compile(rb"/Type\s*/Page(?![A-Za-z])")
_PAGE_COUNT = re.compile(rb"/Type\s*/Pages\b[^>]{0,400}?/Count\s+(\d{1,5})")
_SPACE = re.compile(r"\s")


def _decode(data: str, size: int) -> bytes:
    """At least the first ``size`` bytes of a base64 text, as far as they can be decoded."""
    if data.startswith("data:"):
        data = data.partition(",")[2]
    # Line breaks may be mixed in, as some encoders write 76 characters a line.
    text = _SPACE.sub("", data[: size * 3 // 2])[: size * 4 // 3 // 4 * 4 + 4]
    text = text.rstrip("=").replace("-", "+").replace("_", "/")
    text = text[: len(text) - 1] if len(text) % 4 == 1 else text
    try:
        return b64decode(text + "=" * (-len(text) % 4))
    except (Base64Error, ValueError):
        return b""


def _size(head: bytes) -> tuple[int, int] | None:
    if head.startswith(b"\x89PNG\r\n\x1a\n") and len(head) >= 24:
        return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    if head[:6] in (b"GIF87a", b"GIF89a") and len(head) >= 10:
        return int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP" and len(head) >= 30:
        return _webp_size(head)
    if head[:2] == b"\xff\xd8":
        return _jpeg_size(head)
    return None


def _webp_size(head: bytes) -> tuple[int, int] | None:
    form = head[12:16]
    if form == b"VP8 ":
        width, height = (int.from_bytes(head[at : at + 2], "little") for at in (26, 28))
        return width & 0x3FFF, height & 0x3FFF
    if form == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if form == b"VP8X":
        width, height = (int.from_bytes(head[at : at + 3], "little") for at in (24, 27))
        return width + 1, height + 1
    return None


def _jpeg_size(head: bytes) -> tuple[int, int] | None:
    """Walk the segments to the frame header, which all but four of the codes C0 to CF open."""
    at = 2
    while at + 9 <= len(head):
        if head[at] != 0xFF:
            return None
        code = head[at + 1]
        if code == 0xFF:
            at += 1
            continue
        if 0xC0 <= code <= 0xCF and code not in (0xC4, 0xC8, 0xCC):
            height, width = (int.from_bytes(head[i : i + 2], "big") for i in (at + 5, at + 7))
            return width, height
        if code == 0x01 or 0xD0 <= code <= 0xD8:
            at += 2
        else:
            at += 2 + int.from_bytes(head[at + 2 : at + 4], "big")
    return None


def _patches(long: int, short: float, patch: int) -> int:
    return ceil(long / patch) * max(1, ceil(round(short) / patch))
