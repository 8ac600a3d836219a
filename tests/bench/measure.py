"""What is measured: each function starts real processes and gives seconds, or megabytes."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.bench import inputs
from tests.bench.client import Editor, Session, environment, keystrokes


@dataclass(frozen=True)
class Typing:
    """What typing in one document was like. Seconds; megabytes of memory."""

    opened: float
    counted: float
    memory: float | None
    times: list[float]


def start(times: int) -> float:
    """From starting the server to its answer to ``initialize``: the median of several starts."""
    found: list[float] = []
    for _ in range(times):
        with Session() as session:
            found.append(session.start_seconds)
    return median(found)


def typing(
    text: str,
    edits: list[tuple[int, int, str]],
    name: str = "request.json",
    language: str = "json",
) -> Typing:
    """Open a document, wait until its tokens are counted exactly, then type.

    A keystroke lasts until diagnostics, the visible hints and the lenses have all arrived; then
    the next one follows, as in the program that this is held against.
    """
    with Session() as session:
        # Another document first: what is loaded once belongs to the start, not to this one.
        other = Editor.open(session, "other.json", inputs.small(0))
        other.answered(0)
        other.wait_until_counted()
        other.close()
        started = time.perf_counter()
        editor = Editor.open(session, name, text, language)
        question = session.request("textDocument/diagnostic", {"textDocument": {"uri": editor.uri}})
        opened = session.wait(question)[0][0] - started
        editor.wait_until_counted()
        counted = time.perf_counter() - started
        memory = session.memory()
        times: list[float] = []
        for line, column, character in edits:
            started = time.perf_counter()
            editor.insert(line, column, character)
            times.append(editor.answered(line) - started)
    return Typing(opened, counted, memory, times)


def alternately(small: int, big: int, count: int) -> tuple[list[float], list[float]]:
    """Typing in two open documents by turns, ten keystrokes each: the times in either.

    So a slow moment of the machine slows both, and their ratio can be relied on.
    """
    with Session() as session:
        documents: list[tuple[Editor, list[tuple[int, int, str]], list[float]]] = []
        for size in (small, big):
            text = inputs.chat(size)
            editor = Editor.open(session, f"request-{size}.json", text)
            editor.answered(0)
            editor.wait_until_counted()
            documents.append((editor, list(keystrokes(text, count, inputs.SEED)), []))
        for start in range(0, count, 10):
            for editor, edits, times in documents:
                for line, column, character in edits[start : start + 10]:
                    started = time.perf_counter()
                    editor.insert(line, column, character)
                    times.append(editor.answered(line) - started)
    return documents[0][2], documents[1][2]


def pasted(size: int) -> float:
    """A paste of ``size`` characters into a small document: until the last of its answers."""
    with Session() as session:
        editor = Editor.open(session, "request.json", inputs.chat(20_000))
        editor.answered(0)
        editor.wait_until_counted()
        line = next(at for at, text in enumerate(editor.lines) if '"messages": [' in text)
        text = inputs.messages(size)
        started = time.perf_counter()
        editor.paste(line + 1, text)
        return editor.answered(line) - started


def several(count: int, size: int, rounds: int) -> float:
    """Typing in ``count`` open documents by turns: the worst answer."""
    with Session() as session:
        editors: list[tuple[Editor, list[tuple[int, int, str]]]] = []
        for number in range(count):
            text = inputs.chat(size, seed=inputs.SEED + number)
            editor = Editor.open(session, f"request-{number}.json", text)
            editor.answered(0)
            editors.append((editor, list(keystrokes(text, rounds, number))))
        worst = 0.0
        for at in range(rounds):
            for editor, edits in editors:
                line, column, character = edits[at]
                started = time.perf_counter()
                editor.insert(line, column, character)
                worst = max(worst, editor.answered(line) - started)
    return worst


def burst(text: str, edits: list[tuple[int, int, str]]) -> float:
    """Edits as fast as they can be sent, each with its questions; what is outdated is cancelled.

    The worst time from a question to its answer, the refusal of a cancelled one included.
    """
    with Session() as session:
        editor = Editor.open(session, "request.json", text)
        editor.answered(0)
        editor.wait_until_counted()
        asked: dict[int, float] = {}
        last: list[int] = []
        for line, column, character in edits:
            editor.insert(line, column, character)
            for number in last:
                session.cancel(number)
            last = editor.questions(line)
            asked |= dict.fromkeys(last, time.perf_counter())
        answers = session.wait(*asked)
        return max(arrived - at for (arrived, _), at in zip(answers, asked.values(), strict=True))


def command(*words: str) -> float:
    """Seconds of one command, its start included."""
    started = time.perf_counter()
    ran = subprocess.run(
        [sys.executable, "-m", "cachewise", *words],
        capture_output=True,
        check=False,
        env=environment(),
    )
    if ran.returncode not in (0, 1):
        raise RuntimeError(ran.stderr.decode(errors="replace"))
    return time.perf_counter() - started


@contextmanager
def files(small: int, big: int, trace: int) -> Iterator[tuple[Path, Path, Path]]:
    """A folder of ``small`` requests, a file of ``big`` characters, and a trace of ``trace``."""
    with tempfile.TemporaryDirectory(prefix="cachewise-bench-") as name:
        place = Path(name)
        folder = place / "small"
        folder.mkdir()
        for number in range(small):
            (folder / f"{number:04}.json").write_text(inputs.small(number), encoding="utf-8")
        file = place / "big.json"
        file.write_text(inputs.chat(big), encoding="utf-8")
        recording = place / "trace.jsonl"
        with recording.open("w", encoding="utf-8") as stream:
            stream.writelines(f"{line}\n" for line in inputs.trace(trace))
        yield folder, file, recording
