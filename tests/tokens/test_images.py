"""Sizes from the heads of pictures, and their tokens."""

import base64
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cachewise.tokens.images import LIMITS, image_size, image_tokens, pdf_pages


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def png(width: int, height: int) -> bytes:
    def chunk(name: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IEND", b"")


def gif(width: int, height: int) -> bytes:
    return b"GIF89a" + struct.pack("<HH", width, height) + b"\0\0\0;"


def jpeg(width: int, height: int, metadata: int = 0, code: int = 0xC0) -> bytes:
    segments = b"\xff\xe0" + struct.pack(">H", 16) + b"JFIF\0" + b"\0" * 9
    while metadata > 0:
        size = min(metadata, 65_000)
        segments += b"\xff\xe1" + struct.pack(">H", size + 2) + b"\xff\xc0" * (size // 2)
        segments += b"\0" * (size % 2)
        metadata -= size
    frame = bytes([0xFF, code]) + struct.pack(">HBHH", 17, 8, height, width) + b"\3" + b"\0" * 9
    return b"\xff\xd8" + segments + b"\xff" + frame + b"\xff\xd9"


def webp(form: bytes, width: int, height: int) -> bytes:
    if form == b"VP8 ":
        body = b"\0\0\0\x9d\x01\x2a" + struct.pack("<HH", width, height | 0x4000)
    elif form == b"VP8L":
        body = b"\x2f" + ((width - 1) | (height - 1) << 14).to_bytes(4, "little")
    else:
        body = (
            b"\x10\0\0\0" + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        )
    body = body.ljust(20, b"\0")
    inner = form + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(inner) + 4) + b"WEBP" + inner


sides = st.integers(1, 16_000)


@given(width=sides, height=sides)
def test_every_format_tells_its_size(width: int, height: int) -> None:
    for data in (
        png(width, height),
        gif(width, height),
        jpeg(width, height),
        jpeg(width, height, code=0xC2),
        webp(b"VP8 ", width, height),
        webp(b"VP8L", width, height),
        webp(b"VP8X", width, height),
    ):
        assert image_size(encoded(data)) == (width, height)


@pytest.mark.parametrize("metadata", [3_000, 65_000, 200_000])
def test_a_jpeg_with_a_preview_inside_keeps_its_size_further_back(metadata: int) -> None:
    assert image_size(encoded(jpeg(640, 480, metadata))) == (640, 480)


def test_size_in_other_writings_of_base64() -> None:
    text = encoded(png(321, 123))
    broken = "\r\n".join(text[at : at + 10] for at in range(0, len(text), 10))
    assert image_size(broken) == (321, 123)
    assert image_size("data:image/png;base64," + text) == (321, 123)
    assert image_size(text.rstrip("=").replace("+", "-").replace("/", "_")) == (321, 123)


@given(st.one_of(st.text(max_size=60), st.binary(max_size=60).map(encoded)))
def test_anything_else_has_no_size_and_raises_nothing(text: str) -> None:
    size = image_size(text)
    assert size is None or min(size) > 0


@given(data=st.binary(max_size=40), kind=st.sampled_from([png, gif, jpeg]))
def test_a_picture_cut_off_raises_nothing(data: bytes, kind) -> None:
    whole = kind(50, 60)
    for length in range(0, len(whole), 3):
        size = image_size(encoded(whole[:length] + data))
        assert size is None or min(size) > 0


@pytest.mark.parametrize(
    ("width", "height", "standard", "high"),
    [
        # The provider's vision page.
        (200, 200, 64, 64),
        (1000, 1000, 1296, 1296),
        (1092, 1092, 1521, 1521),
        (1920, 1080, 1560, 2691),
        (2000, 1500, 1564, 3888),
        (3840, 2160, 1560, 4784),
        # Recorded, less three tokens a picture.
        (1800, 1200, 1536, 2795),
        (60, 30, 6, 6),
        (28, 28, 1, 1),
        (29, 28, 2, 2),
    ],
)
def test_tokens_of_known_pictures(width: int, height: int, standard: int, high: int) -> None:
    assert image_tokens(width, height, "standard") == standard
    assert image_tokens(width, height, "high") == high
    assert image_tokens(height, width, "standard") == standard


@given(width=sides, height=sides, tier=st.sampled_from(["standard", "high"]))
def test_never_more_than_the_tier_allows(width: int, height: int, tier) -> None:
    tokens = image_tokens(width, height, tier)
    assert 1 <= tokens <= LIMITS[tier].patches
    assert image_tokens(width, height, "standard") <= image_tokens(width, height, "high")


def test_pages_of_a_pdf() -> None:
    pages = b"".join(b"%d 0 obj << /Type /Page /Parent 1 0 R >> endobj\n" % n for n in range(3, 6))
    whole = b"%PDF-1.4\n1 0 obj << /Type /Pages /Kids [] /Count 3 >> endobj\n" + pages
    assert pdf_pages(encoded(whole)) == 3
    packed = b"%PDF-1.5\n1 0 obj << /Type/Pages /Count 12 >> endobj\nstream"
    assert pdf_pages(encoded(packed)) == 12
    assert pdf_pages(encoded(b"%PDF-1.5\nnothing to see")) is None
    assert pdf_pages("") is None
