"""Claude token counts over the installed ``ctok`` package, made fast enough for every keystroke.

``ctok`` reproduces Claude's counts but walks a text character by character. This module gives the
same number by adding up *spans* whose price it has met before. It rests on one property of the
vocabulary: no piece reaches across the mark that opens or closes a word, nor across the border of
an ASCII digit run, nor does an ideograph share a piece with its neighbour. A text is therefore
worth the sum of its spans, where a span is

* a word, with what stands between it and the word before (``", the"``), or
* a run of digits or ideographs, with what follows it up to the next word or run (``"12, "``).

Nothing of ``ctok`` is kept here: its rules are called, and its vocabulary is read from the
installed package. The property is checked on the vocabulary when it is loaded, and a few known
counts are checked too. Where either fails :class:`Unavailable` is raised, and the caller uses an
estimate instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator
from hashlib import blake2b
from importlib import import_module
from importlib.resources import files
from types import SimpleNamespace
from typing import Any, Protocol

from cachewise import __version__
from cachewise.tokens.memo import Memo

FAMILY_VERSIONS = {"claude-v3": "3.0", "claude-v4.7": "4.7", "claude-v4.8": "4.8"}
"""Our family names, and the model version under which ``ctok`` serves each."""

_WINDOW = 2048
"""Characters priced between two yields: a few milliseconds even where nothing is known yet."""

_SEARCH = 16 * _WINDOW
"""Characters searched for a safe place to end a window; past that it is ended anywhere."""

_LONG = 640
"""A span longer than this is priced in parts: tiling may take 128 steps for each character."""

_KNOWN_COUNTS: dict[str, dict[str, int]] = {
    # Content tokens; the provider's counts for a single user message, less its frame.
    "claude-v3": {"hello, world": 3, "it's 12345 KB\n\nthe End": 10, "文 x": 4},
    "claude-v4.7": {"hello, world": 4, "it's 12345 KB\n\nthe End": 11, "文 x": 4},
    "claude-v4.8": {"hello, world": 4, "it's 12345 KB\n\nthe End": 11, "文 x": 3},
}


class Unavailable(Exception):
    """``ctok`` is missing, or is no longer the package that this module understands."""


class ClaudeCounter:
    """Counts content tokens for one Claude tokenizer family; made by :func:`load_steps`.

    The memo tables are bounded, and safe for a main thread and a worker thread together: they are
    only ever read, written and emptied whole.
    """

    def __init__(self, family: str, vocabulary: Vocabulary) -> None:
        self.family = family
        self._vocabulary = vocabulary
        self._spans = Memo(self._span_cost, entries=80_000, characters=2_000_000)
        self._ends = Memo(self._end_cost, entries=4_000, characters=200_000)
        self._words = Memo(vocabulary.word_cost, entries=60_000, characters=1_500_000)
        self._gaps = Memo(self._gap_cost, entries=20_000, characters=1_000_000)

    def steps(self, text: str) -> Generator[None, None, tuple[int, int]]:
        """Price ``text``, yielding between windows; return ``(tokens, cuts)``.

        ``tokens`` are content tokens, without any message frame. ``cuts`` counts the places where
        an overlong span had to be priced in parts; each may be off by a few tokens, so a count
        without cuts is exact.
        """
        tokens = cuts = position = 0
        left = ""
        while position < len(text):
            end, right, forced = self._window_end(text, position)
            cost, more = self._window(text, position, end, left, right)
            tokens += cost
            cuts += more + forced
            position, left = end, right
            yield
        return tokens, cuts

    def _window_end(self, text: str, start: int) -> tuple[int, str, bool]:
        """Where the window that starts at ``start`` ends, what stands there, and if it was forced.

        The end is a place where prices add up: after a word, between two ideographs, or before a
        digit. What stands there is the character by which the windows on either side price it.
        """
        size = _WINDOW if text.isascii() else _WINDOW // 2
        if start + size >= len(text):
            return len(text), "", False
        limit = start + _SEARCH
        for match in _CUT.finditer(text, start + size, limit):
            character = text[match.start()]
            if match.lastgroup == "digit":
                return match.end(), _DIGIT, False
            if match.lastgroup == "ideograph" or self._vocabulary.kind(character) == "h":
                return match.end(), _IDEOGRAPH, False
            if self._vocabulary.kind(character) == "w":
                return match.end(), _WORD, False
        if limit >= len(text):
            return len(text), "", False
        return start + size, _WORD, True

    def _window(self, text: str, start: int, end: int, left: str, right: str) -> tuple[int, int]:
        """Tokens and cuts of ``text[start:end]`` between two neighbours (see ``_window_end``)."""
        vocabulary = self._vocabulary
        norm = vocabulary.normalise(text[start:end])
        tokens = cuts = 0
        if end == len(text):
            core = norm.rstrip("\n")
            newlines = len(norm) - len(core)
            tokens = vocabulary.final_newlines(newlines)
            cuts = newlines // _LONG
            norm = core
            if not norm and left:
                return tokens, cuts
        # A neighbour that shapes the spans beside it is priced with them and taken off again.
        if right == _DIGIT:
            norm += _DIGIT
            tokens -= 1
        if left == _IDEOGRAPH:
            norm = _IDEOGRAPH + norm
            tokens -= vocabulary.character_cost(_IDEOGRAPH)

        if norm.isascii():
            spans = _ASCII_SPAN.findall(norm)
            ends_in_word = norm[-1:].isalpha()
        else:
            classes = norm.translate(vocabulary.classes)
            if _UNUSUAL.search(classes):
                cost, more = self._in_parts(norm, left, text)
                return tokens + cost, cuts + more
            spans: list[str] = []
            for match in _CLASS_SPAN.finditer(classes):
                low, high = match.span()
                if match.lastgroup == "ideographs":
                    run_end = match.end("ideographs")
                    tokens += sum(map(vocabulary.costs.__getitem__, norm[low:run_end]))
                    spans.append(_IDEOGRAPH + norm[run_end:high])
                else:
                    spans.append(norm[low:high])
            ends_in_word = classes[-1] in "wm"
        if spans and not spans[-1]:
            spans.pop()  # the empty match at the end of the text

        if not left:
            head = spans.pop(0) if spans else ""
            if len(head) > _LONG:
                cost, more = self._in_parts(head, left, text)
                cuts += more
            else:
                followed = bool(spans) and vocabulary.kind(head[-1]) not in "wm"
                cost = self._head_cost(head, followed, vocabulary.leading_space(text))
                if head[:1] == _IDEOGRAPH:
                    cost -= vocabulary.character_cost(_IDEOGRAPH)
            tokens += cost
        if spans and not ends_in_word and len(spans[-1]) <= _LONG:
            tokens += self._ends[spans.pop()]
        if len(max(spans, key=len, default="")) > _LONG:
            for span in [span for span in spans if len(span) > _LONG]:
                cost, more = self._in_parts(span, _WORD, text)
                tokens += cost
                cuts += more
            spans = [span for span in spans if len(span) <= _LONG]
        return tokens + sum(map(self._spans.__getitem__, spans)), cuts

    def _head_cost(self, span: str, followed: bool, leading_space: bool) -> int:
        """The span that opens the text, where the message frame supplies a word mark."""
        price = self._vocabulary.price
        if not followed:
            return price(span, leading_space)
        return price(span + _IDEOGRAPH, leading_space) - self._vocabulary.character_cost(_IDEOGRAPH)

    def _span_cost(self, span: str) -> int:
        """A span that ends in a word, or before a digit or ideograph."""
        left, gap, word = self._parts(span)
        cost = self._run_cost(left)
        if word and gap[-1:] == "'" and word in self._vocabulary.contractions:
            # The apostrophe opens this word in place of a word mark, so the two go together.
            return cost + self._after(_WORD + _context(left), gap + word)
        return cost + self._gaps[_context(left), gap, word and _NEXT_WORD] + self._words[word]

    def _end_cost(self, span: str) -> int:
        """A span that ends the text in something else than a word."""
        left, gap, word = self._parts(span)
        return self._run_cost(left) + self._after(_WORD + _context(left), gap + word)

    def _gap_cost(self, key: tuple[str, str, str]) -> int:
        left, gap, right = key
        if not gap:
            return 0
        vocabulary = self._vocabulary
        if right:
            return self._after(_WORD + left, gap + right) - vocabulary.word_cost(right)
        followed = self._after(_WORD + left, gap + _IDEOGRAPH)
        return followed - vocabulary.character_cost(_IDEOGRAPH)

    def _after(self, context: str, text: str) -> int:
        return self._vocabulary.price(context + text) - self._vocabulary.price(context)

    def _parts(self, span: str) -> tuple[str, str, str]:
        """Split a span into its leading digits or ideograph, what follows, and its word."""
        if span.isascii():
            match = _ASCII_PARTS.fullmatch(span)
        else:
            match = _CLASS_PARTS.fullmatch(span.translate(self._vocabulary.classes))
        if match is None:
            return "", span, ""
        first, second = match.end(1), match.end(2)
        return span[:first], span[first:second], span[second:]

    def _run_cost(self, run: str) -> int:
        """Digits go three to a token; an ideograph here only stands for one priced before."""
        return (len(run) + 2) // 3 if run.isascii() else 0

    def _in_parts(self, text: str, left: str, whole: str) -> tuple[int, int]:
        """Price a text by ``ctok``'s rules alone, in parts where it is long; tokens and cuts."""
        price = self._vocabulary.price
        pieces = [text[at : at + _LONG] for at in range(0, len(text), _LONG)]
        first = pieces[0] if pieces else ""
        if left:
            tokens = self._after(_WORD, first)
        else:
            tokens = price(first, self._vocabulary.leading_space(whole))
        return tokens + sum(self._ends[piece] for piece in pieces[1:]), max(0, len(pieces) - 1)


class Vocabulary:
    """One family's pieces, and what a marked-up text costs in them by ``ctok``'s own rules."""

    def __init__(self, rules: Rules, pieces: set[str], byte_prefixes: list[str]) -> None:
        self._rules = rules
        self._pieces = pieces
        self._byte_prefixes = byte_prefixes
        self.contractions: frozenset[str] = rules.constants.CONTRACTION_SUFFIXES
        marks: frozenset[str] = rules.constants.MARKER_GLYPHS
        units = {piece for piece in pieces if len(piece) == 1} - marks
        self._model = SimpleNamespace(
            fold_quotes=rules.fold_quotes,
            allcaps_min=rules.allcaps_min,
            frame_bow=rules.frame_bow,
            unit_pieces=units,
            bytes=rules.engine.ByteFloor(byte_prefixes, units),
            _char_cost_cache={},
        )
        self._marks = marks
        self._longest: dict[str, int] = {}
        """The length of the longest piece that ends in a character."""
        self.costs = Memo(self.character_cost, entries=40_000, characters=40_000)
        self.classes = Memo(self._kind_of, entries=40_000, characters=40_000)

    def normalise(self, text: str) -> str:
        """The text as the tokenizer sees it: composed, controls dropped, odd spaces made plain."""
        if text.isascii() and not _STRIPPED.search(text):
            return text
        return self._rules.normalize.nfc(text, fold_quotes=self._rules.fold_quotes)

    def leading_space(self, text: str) -> bool:
        """Whether the raw text itself opens with the space that the message frame absorbs."""
        return self._rules.normalize.raw_head_space(text)

    def price(self, text: str, leading_space: bool = False) -> int:
        """Tokens of an already normalised text that opens a message; final newlines not counted."""
        marked = self._rules.normalize.stream_norm(text, self._model, raw_head_space=leading_space)
        return self._tile(marked)

    def word_cost(self, word: str) -> int:
        """Tokens of one run of letters; "" costs nothing."""
        if not word:
            return 0
        marked = word
        # A word in lower case, or in mixed case as codes are, is never rewritten.
        if not word.isascii() or word.isupper() or word.istitle():
            marked = self._rules.normalize.mark_case(word, self._rules.allcaps_min)
        body = marked.lstrip(self._rules.case_marks)
        case = marked[: len(marked) - len(body)]
        return self._tile(case + self._rules.open_mark + body + self._rules.close_mark)

    def character_cost(self, character: str) -> int:
        """Tokens of one character that no longer piece covers."""
        return self._rules.engine.char_cost(self._model, character)

    def final_newlines(self, count: int) -> int:
        """Tokens of the newlines that end a message, whose last one the frame pays for."""
        if not count:
            return 0
        whole, rest = divmod(count, _LONG)
        cost = self._tile("\n" * (rest + 2)) - 1
        return cost + whole * self._tile("\n" * _LONG) if whole else cost

    def kind(self, character: str) -> str:
        """The class of one raw character, as one letter.

        w: letter, m: mark, d: ASCII digit, a: other decimal digit, h: ideograph or emoji,
        u: letter that is also a symbol, g: anything else.
        """
        composed = character if character.isascii() else self.normalise(character)
        return self.classes[ord(composed)] if len(composed) == 1 else "g"

    def _kind_of(self, code_point: int) -> str:
        character = chr(code_point)
        rules, constants = self._rules.normalize, self._rules.constants
        name = rules.classify(character)
        if name == constants.WORDY:
            if rules._marks_like_punct(character):
                return "u"
            return "m" if rules._stray_mark(character) else "w"
        if name == constants.DIGIT:
            return "d" if character.isascii() else "a"
        if name == constants.HARD and not rules._is_selector(character):
            return "h" if rules._hard_kind(character) == "letter" else "g"
        return "g"

    def _tile(self, marked: str) -> int:
        """The fewest pieces that spell ``marked``; a character without a piece costs its bytes."""
        pieces = self._pieces
        if marked in pieces:
            return 1
        best = [0]
        for end in range(1, len(marked) + 1):
            last = marked[end - 1]
            fewest = best[-1]
            if last in pieces or last in self._marks:
                fewest += 1
            else:
                fewest += self.costs[last]
            for start in range(max(0, end - self._longest.get(last, 1)), end - 1):
                if best[start] + 1 < fewest and marked[start:end] in pieces:
                    fewest = best[start] + 1
            best.append(fewest)
        return best[-1]

    def packed(self) -> bytes | None:
        """A prepared vocabulary as ``unpacked`` takes it; None when that cannot be written."""
        lengths = [f"{last}{size}" for last, size in self._longest.items()]
        groups = (list(self._pieces), self._byte_prefixes, lengths)
        if any(_PACKED_AS & set("".join(group)) for group in groups):
            return None
        try:
            return _GROUP.join(_ITEM.join(group) for group in groups).encode()
        except UnicodeEncodeError:
            return None

    @classmethod
    def unpacked(cls, rules: Rules, data: bytes) -> Vocabulary:
        """The vocabulary that ``packed`` has written, prepared. Raises ``ValueError``."""
        pieces, prefixes, lengths = (group.split(_ITEM) for group in data.decode().split(_GROUP))
        vocabulary = cls(rules, set(pieces), prefixes)
        vocabulary._longest.update((written[0], int(written[1:])) for written in lengths)
        return vocabulary

    def prepare_steps(self) -> Generator[None]:
        """Index the pieces; raise :class:`Unavailable` unless prices of spans add up in them."""
        glue = "\x00"
        joined = glue + glue.join(self._pieces) + glue
        yield
        opening, closing = self._rules.open_mark, self._rules.close_mark
        opened = sum(joined.count(glue + case + opening) for case in ("", *self._rules.case_marks))
        if joined.count(opening) != opened or joined.count(closing) != joined.count(closing + glue):
            raise Unavailable("a piece of the vocabulary reaches across the edge of a word")
        yield
        pieces = list(self._pieces)
        longest, digits, shared = self._longest, 0, set[str]()
        for start in range(0, len(pieces), 6_000):
            part = sorted(pieces[start : start + 6_000], key=len)
            numbers = [piece for piece in part if piece.isdigit() and piece.isascii()]
            digits += len(numbers)
            several = {piece for piece in part if len(piece) > 1}
            shared.update("".join(several.difference(numbers)))
            for last, size in {piece[-1]: len(piece) for piece in part}.items():
                if size > longest.get(last, 1):
                    longest[last] = size
            yield
        if digits != 1110 or max(longest.get(digit, 1) for digit in _DIGITS) != 3:
            raise Unavailable("digits no longer go three to a token")
        shared -= set(self._rules.constants.GLYPH_TO_ATOM)
        if not shared.isdisjoint(_DIGITS):
            raise Unavailable("a digit shares a piece with its neighbour")
        if any(self.classes[ord(character)] == "h" for character in shared):
            raise Unavailable("an ideograph shares a piece with its neighbour")


class Rules:
    """The modules of ``ctok`` and one family's settings, as far as this module uses them."""

    def __init__(self, version: str) -> None:
        self.constants: Any = import_module("ctok.constants")
        self.engine: Any = import_module("ctok.engine")
        self.normalize: Any = import_module("ctok.normalize")
        self.notation: Any = import_module("ctok.notation")
        main: Any = import_module("ctok.main")
        family = main.FAMILIES[main._family(version)]
        self.file: str = family.pieces
        self._overrides: dict[str, Any] = dict(family.meta)
        self.fold_quotes = False
        self.allcaps_min: int | None = None
        self.frame_bow = True
        constants = self.constants
        self.open_mark: str = constants.BOW_G
        self.close_mark: str = constants.EOW_G
        self.case_marks: str = constants.SHIFT_G + constants.CAPS_G

    def read_settings(self, document: bytes) -> None:
        """Take the family's settings from the head of its vocabulary document."""
        head = document[: document.index(b'"tokens"')].decode()
        meta: dict[str, Any] = json.JSONDecoder().raw_decode(head, head.index("{", 1))[0]
        meta |= self._overrides
        self.fold_quotes = meta["fold_quotes"]
        self.allcaps_min = meta["allcaps_min"]
        self.frame_bow = meta.get("frame_bow", True)


class Kept(Protocol):
    """A place that keeps what takes long to work out, from one start of the program to the next.

    It may lose, spoil or refuse anything at any time, and never raises.
    """

    def read(self, name: str) -> bytes | None:
        """What was last written under a name."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Keep something under a name."""
        ...


def load_steps(family: str, kept: Kept | None = None) -> Generator[None, None, ClaudeCounter]:
    """Load one family, yielding every few milliseconds; return its counter.

    What was kept of the last load is used where it belongs to the very package that is installed.
    Raises :class:`Unavailable` when ``ctok`` cannot be used, whatever the reason.
    """
    try:
        return (yield from _load(family, kept))
    except Unavailable:
        raise
    except Exception as error:
        # Whatever went wrong inside a foreign package, an estimate is better than no number.
        raise Unavailable(f"ctok cannot be used: {type(error).__name__}: {error}") from error


def _load(family: str, kept: Kept | None) -> Generator[None, None, ClaudeCounter]:
    import_module("regex")
    yield
    rules = Rules(FAMILY_VERSIONS[family])
    yield
    document = files("ctok").joinpath("data", rules.file).read_bytes()
    rules.read_settings(document)
    yield
    name = f"{family}.vocabulary"
    origin = _origin(document) if kept is not None else b""
    if kept is not None and (data := kept.read(name)) is not None:
        yield
        counter = yield from _counter_of(family, rules, data, origin)
        if counter is not None:
            return counter
    vocabulary = yield from _read_vocabulary(document, rules)
    counter = yield from _checked(ClaudeCounter(family, vocabulary))
    packed = vocabulary.packed() if kept is not None else None
    if kept is not None and packed is not None:
        kept.write(name, _seal(origin, packed) + packed)
    return counter


def _counter_of(
    family: str, rules: Rules, data: bytes, origin: bytes
) -> Generator[None, None, ClaudeCounter | None]:
    """The counter out of what was kept; None when that is spoilt, or of another package."""
    seal, packed = data[:_SEAL], data[_SEAL:]
    if seal != _seal(origin, packed):
        return None
    yield
    try:
        return (yield from _checked(ClaudeCounter(family, Vocabulary.unpacked(rules, packed))))
    except (ValueError, IndexError, Unavailable):
        return None


_SEAL = 32
_ITEM, _GROUP = "\x00", "\x01"
_PACKED_AS = {_ITEM, _GROUP}
_RULES_IN = ("constants.py", "engine.py", "normalize.py", "notation.py")


def _origin(document: bytes) -> bytes:
    """What the kept form was made of: the vocabulary, the rules, and the program itself."""
    made = blake2b(document, digest_size=_SEAL)
    for file in _RULES_IN:
        made.update(files("ctok").joinpath(file).read_bytes())
    made.update(__version__.encode())
    return made.digest()


def _seal(origin: bytes, packed: bytes) -> bytes:
    return blake2b(packed, key=origin, digest_size=_SEAL).digest()


def _read_vocabulary(document: bytes, rules: Rules) -> Generator[None, None, Vocabulary]:
    """The pieces out of the package's own document, with the check that prices add up in them."""
    names: list[bytes] = []
    bytes_start, bytes_end = _group(document, b"bytes_fallback")
    byte_prefixes = _ENTRY.findall(document, bytes_start, bytes_end)
    for start, stop in ((0, bytes_start), (bytes_end, len(document))):
        while start < stop:
            # Only the names of the pieces are wanted, not the evidence behind each, and a parse of
            # the whole document would hold the interpreter for 50 ms at a time.
            end = document.find(b"\n", start + 400_000, stop)
            end = stop if end < 0 else end
            names += _ENTRY.findall(document, start, end)
            start = end
            yield
    if len(names) + len(byte_prefixes) != document.count(b'"kind": "'):
        raise Unavailable("the vocabulary document has another layout")
    contractions = _ENTRY.findall(document, *_group(document, b"contractions"))
    del document
    # The pieces are wanted as marked text is written: with each mark as a single character.
    joined = b"\n".join(names)
    for name, glyph in rules.constants.ATOM_TO_GLYPH.items():
        joined = joined.replace(name.encode(), glyph.encode())
    yield
    pieces = set(joined.decode().split("\n"))
    yield
    escaped = [piece for piece in pieces if "\\" in piece]
    pieces.difference_update(escaped)
    pieces.update(json.loads(f'"{piece}"') for piece in escaped)
    spelled_in_bytes = [piece for piece in pieces if rules.constants.L in piece]
    pieces.difference_update(spelled_in_bytes)
    pieces.update(map(rules.notation.parse_marked, spelled_in_bytes))
    pieces.update(rules.engine.glued_contraction(name.decode()) for name in contractions)
    yield
    vocabulary = Vocabulary(rules, pieces, [name.decode() for name in byte_prefixes])
    yield
    yield from vocabulary.prepare_steps()
    yield
    return vocabulary


def _checked(counter: ClaudeCounter) -> Generator[None, None, ClaudeCounter]:
    """A counter that gives the counts that are known; raises :class:`Unavailable` for another."""
    family = counter.family
    for text, known in _KNOWN_COUNTS[family].items():
        counted, _ = yield from counter.steps(text)
        if counted != known:
            raise Unavailable(f"{text!r} counts {counted} tokens in {family}, not {known}")
    return counter


def _group(document: bytes, name: bytes) -> tuple[int, int]:
    """Where one group of pieces starts and ends in the vocabulary document."""
    start = document.index(b'"' + name + b'": {')
    end = _GROUP_END.search(document, start)
    if end is None:
        raise Unavailable(f"the vocabulary document has no end of {name!r}")
    return start, end.start()


# Three characters stand for what a span may have on its left: each is a word, digit run or
# ideograph of its own, and shapes its neighbours as any other of its kind would.
_WORD, _DIGIT, _IDEOGRAPH = "a", "0", "\u4e02"
_NEXT_WORD = "b"
_DIGITS = frozenset("0123456789")


def _context(run: str) -> str:
    """The character that stands for a run on the left of a span; "" where there is none."""
    return run and (_DIGIT if run.isascii() else _IDEOGRAPH)


_STRIPPED = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
"""Controls that normalisation removes or changes, among ASCII characters."""

_ASCII_SPAN = re.compile(r"[0-9]*[^A-Za-z0-9]*(?:[A-Za-z]+|(?=[0-9])|\Z)")
_ASCII_PARTS = re.compile(r"([0-9]*)([^A-Za-z0-9]*)([A-Za-z]*)")
# The same two over a text in which each character is written as its class.
_CLASS_SPAN = re.compile(r"(?:(?P<ideographs>h+)|d+)?[ga]*(?:w[wm]*|(?=[dh])|\Z)")
_CLASS_PARTS = re.compile(r"(h|d*)([ga]*)((?:w[wm]*)?)")
_UNUSUAL = re.compile(r"da|ad|(?<![wm])m|u")
"""Where prices do not add up: digits of two scripts, marks without a letter, circled letters."""

_CUT = re.compile(
    r"(?P<letter>[^\W\d_](?=[ \n!-/:-@\[-`{-~]))"
    r"|(?P<ideograph>[\u4e00-\u9fff](?=[\u4e00-\u9fff]))"
    r"|(?P<digit>[ ,:;(\[\n-](?=[0-9]))"
)
"""Places where a window may end. All are places that Unicode composition does not reach across."""

_ENTRY = re.compile(rb'^ +"([^"\\]*(?:\\.[^"\\]*)*)": \{"', re.MULTILINE)
"""One piece in the vocabulary document: its name, still escaped as JSON escapes it."""
_GROUP_END = re.compile(rb"\n *\}")
