"""The settings, wherever they come from, as one frozen value.

They stand in ``cachewise.toml``, in ``[tool.cachewise]`` of ``pyproject.toml``, or in the editor.
Nothing here raises on what a user wrote: a key that cannot be used becomes a sentence, and all
others hold. This module is the edge that reads settings files; what lies below the analysis takes
a finished ``Settings`` as an argument.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, cast

from cachewise.caching.cost import Traffic

Semantics = Literal["current", "2025-11"]
"""Which description of the cache to follow; the names are those of the catalog."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a user has chosen; every field has a default that asks for nothing.

    ``model`` is taken for bodies that name none, ``platform`` and ``provider`` for bodies that do
    not say where they go. ``select`` empty means every rule; it and ``ignore`` hold codes or names.
    ``exclude`` and the keys of ``per_file_ignores`` are .gitignore-style patterns.
    ``prices`` overrides catalog prices: model id → field of ``catalog.Prices`` → USD per million.
    ``anthropic_base_url`` is where exact counts are asked for; whoever asks decides whether
    the file that says so is trusted with the key.
    """

    provider: str | None = None
    platform: str | None = None
    model: str | None = None
    auth: str | None = None
    semantics: Semantics = "current"
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    per_file_ignores: Mapping[str, tuple[str, ...]] = field(
        default_factory=dict[str, tuple[str, ...]]
    )
    traffic: Traffic | None = None
    prices: Mapping[str, Mapping[str, Decimal]] = field(
        default_factory=dict[str, Mapping[str, Decimal]]
    )
    anthropic_base_url: str | None = None
    hints_breakpoints: bool = True
    hints_blocks: bool = False
    lens_enabled: bool = True
    tint_enabled: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """One setting: its dotted name in TOML, its Python type, its default, and what it means.

    ``shown`` is the default as a person writes it; ``editor`` the name in the editor's settings,
    behind ``cachewise.``.
    """

    name: str
    type: Any
    default: Any
    doc: str
    shown: str = ""

    @property
    def editor(self) -> str:
        """The name in the editor's settings: camelCase, the tables' dots kept."""
        return re.sub(r"-(\w)", lambda found: found[1].upper(), self.name)


class Duration(str):
    """A time as a person writes it (``90s``, ``2m``, ``1h``); see ``seconds``."""

    __slots__ = ()


_KEYS = (
    Key(
        "provider",
        str,
        None,
        "The provider that requests go to when neither the body nor the model tells it.",
    ),
    Key(
        "platform",
        str,
        None,
        "The platform that serves the model (`bedrock`, `vertex`, …): minimums, lifetimes and "
        "prices differ between platforms. `cachewise models` lists them.",
    ),
    Key("model", str, None, "The model to assume for a body that names none."),
    Key(
        "auth",
        str,
        None,
        "How the client signs in, where that decides whether there is a cache at all.",
    ),
    Key(
        "semantics",
        Semantics,
        "current",
        "Which description of the cache to follow. `current`: a breakpoint finds only entries that "
        "an earlier request wrote at a marked position. `2025-11`, as it was documented then: it "
        "matches any earlier block boundary whose content is unchanged, marked or not.",
    ),
    Key(
        "select",
        list[str],
        [],
        "The rules to apply, by code (`CW201`), start of a code (`CW2`) or name. "
        "Empty: all of them.",
    ),
    Key("ignore", list[str], [], "The rules to leave out, written as in `select`."),
    Key(
        "exclude", list[str], [], "Files to pass over in folders, as patterns like `.gitignore`'s."
    ),
    Key(
        "per-file-ignores",
        dict[str, list[str]],
        {},
        "Rules to leave out in some files: a pattern and its list of rules.",
    ),
    Key(
        "traffic.every",
        Duration,
        None,
        "How often such a request is sent: `90s`, `2m`, `1h`. Decides which lifetime pays.",
    ),
    Key("traffic.calls", int, 10, "How many calls are made with one prefix."),
    Key("traffic.output-tokens", int, 0, "How many tokens an answer has on average."),
    Key(
        "prices",
        dict[str, dict[str, Decimal]],
        {},
        "Your own prices by model, in USD per million tokens: `input`, `write-5m`, `write-1h`, "
        "`read`, `output`. They take the place of the list prices.",
    ),
    Key(
        "remote.anthropic.base-url",
        str,
        None,
        "Where exact token counts of requests to Anthropic are asked for, on your command only. "
        "Used only when you trust the file that says so: it decides who gets your key.",
    ),
    Key("hints.breakpoints", bool, True, "Show tokens and costs at each breakpoint (editor)."),
    Key("hints.blocks", bool, False, "Show the number and the tokens of each block (editor)."),
    Key("lens.enabled", bool, True, "Show the costs above each request (editor)."),
    Key(
        "tint.enabled",
        bool,
        False,
        "Mark in the margin how the prefix fares: cached and for how long, or not, and why (VS "
        "Code).",
    ),
)

_CLIENT_ONLY = frozenset({"interpreter", "trace"})
"""What an editor's client keeps under the same heading for itself."""

_PRICE_FIELDS = ("input", "write_5m", "write_1h", "read", "output", "implicit_read")


def settings_keys() -> tuple[Key, ...]:
    """Every setting with its type, default and meaning, in the order of the documentation."""
    return _KEYS


def parse_settings(
    values: Mapping[str, Any],
    *,
    base: Settings | None = None,
    rules: Iterable[tuple[str, str]] = (),
    editor: bool = False,
) -> tuple[Settings, tuple[str, ...]]:
    """The settings of a TOML table (kebab-case) or an editor (camelCase), over those of ``base``.

    ``rules`` are (code, name) pairs: with them the starts of codes are written out, and a rule
    that does not exist is a problem. The second value holds one sentence for each key that cannot
    be used; such a key counts as not written.
    """
    base = base or Settings()
    problems: list[str] = []
    flat = _flatten(values, editor, problems)
    flat = _validated(flat, editor, problems)
    changes: dict[str, Any] = {}
    for name in ("provider", "platform", "model", "auth", "semantics"):
        if name in flat:
            changes[name] = flat[name]
    known = tuple(rules)
    for name in ("select", "ignore"):
        if name in flat:
            changes[name] = _rules(flat[name], known, name, problems)
    if "exclude" in flat:
        changes["exclude"] = _patterns(flat["exclude"], "exclude", problems)
    if "per-file-ignores" in flat:
        changes["per_file_ignores"] = {
            pattern: _rules(names, known, f'per-file-ignores."{pattern}"', problems)
            for pattern, names in flat["per-file-ignores"].items()
            if _patterns([pattern], "per-file-ignores", problems)
        }
    traffic = _traffic(flat, base.traffic, problems)
    if traffic is not None:
        changes["traffic"] = traffic
    if "prices" in flat:
        changes["prices"] = _prices(flat["prices"], problems)
    if "remote.anthropic.base-url" in flat:
        changes["anthropic_base_url"] = flat["remote.anthropic.base-url"]
    for name in ("hints.breakpoints", "hints.blocks", "lens.enabled", "tint.enabled"):
        if name in flat:
            changes[name.replace(".", "_")] = flat[name]
    return replace(base, **changes), tuple(problems)


@dataclass(frozen=True, slots=True)
class Configuration:
    """Settings with the folder that their patterns count from.

    ``file`` is the settings file they come from, None when there is none; ``problems`` are
    sentences to show to the user.
    """

    settings: Settings = field(default_factory=Settings)
    root: Path | None = None
    file: Path | None = None
    problems: tuple[str, ...] = ()

    def excludes(self, path: Path, *, folder: bool = False) -> bool:
        """Whether ``exclude`` says to pass over a file or folder."""
        patterns = self.settings.exclude
        return bool(patterns) and _matches(patterns, self._relative(path) + "/" * folder)

    def for_file(self, path: Path) -> Settings:
        """The settings for one file: ``per_file_ignores`` folded into ``ignore``.

        Files that no pattern names get the same object, so that analyses can be shared.
        """
        settings = self.settings
        if not settings.per_file_ignores:
            return settings
        relative = self._relative(path)
        more = tuple(
            name
            for pattern, names in settings.per_file_ignores.items()
            if _matches((pattern,), relative)
            for name in names
        )
        return replace(settings, ignore=(*settings.ignore, *more)) if more else settings

    def _relative(self, path: Path) -> str:
        if self.root is not None:
            try:
                return path.resolve().relative_to(self.root).as_posix()
            except (OSError, ValueError):
                pass  # outside of the root, patterns see the path as it is written
        return path.as_posix().lstrip("/")


def find_settings(
    folder: Path, *, base: Settings | None = None, rules: Iterable[tuple[str, str]] = ()
) -> Configuration:
    """The settings that hold in a folder: those of the nearest settings file at or above it.

    ``cachewise.toml`` comes before ``pyproject.toml`` of the same folder; a ``pyproject.toml``
    without ``[tool.cachewise]`` is passed over. What the file says wins over ``base`` key by key,
    so that an editor and a build machine agree. An unreadable file gives ``base`` and a problem.
    """
    base = base or Settings()
    start = folder.resolve()
    for place in (start, *start.parents):
        for name in ("cachewise.toml", "pyproject.toml"):
            file = place / name
            try:
                if not file.is_file():
                    continue
                text = file.read_text(encoding="utf-8-sig")
            except (OSError, UnicodeDecodeError) as error:
                if name == "pyproject.toml":
                    continue
                reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
                return Configuration(base, place, file, (f"{file} cannot be read: {reason}.",))
            found = _read_toml(text, file, base, tuple(rules))
            if found is not None:
                return found
    return Configuration(base, start)


def _read_toml(
    text: str, file: Path, base: Settings, rules: tuple[tuple[str, str], ...]
) -> Configuration | None:
    shared = file.name == "pyproject.toml"
    if shared and "cachewise" not in text:
        return None
    try:
        values = tomllib.loads(text, parse_float=Decimal)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        if shared and not re.search(r"^\s*\[\s*tool\s*\.\s*cachewise\b", text, re.MULTILINE):
            return None
        problem = f"{file} is not valid TOML, so its settings are not used: {error}"
        return Configuration(base, file.parent, file, (problem.rstrip(".") + ".",))
    table: object = values
    if shared:
        tool: object = values.get("tool")
        table = cast("dict[str, Any]", tool).get("cachewise") if isinstance(tool, dict) else None
        if table is None:
            return None
    if not isinstance(table, dict):
        problem = f"{file}: [tool.cachewise] must be a table."
        return Configuration(base, file.parent, file, (problem,))
    settings, problems = parse_settings(cast("dict[str, Any]", table), base=base, rules=rules)
    return Configuration(
        settings, file.parent, file, tuple(f"{file}: {problem}" for problem in problems)
    )


_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d)")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(written: str) -> float:
    """The seconds of a duration such as ``90s``, ``2m``, ``1.5h`` or ``1d``.

    Raises ``ValueError`` with a sentence for anything else, zero included.
    """
    found = _DURATION.fullmatch(written.strip().lower())
    if found is None:
        raise ValueError(f"{written!r} is no duration; write a number and s, m, h or d, as in 2m.")
    value = float(found[1]) * _UNITS[found[2]]
    if not 0 < value <= 366 * 86400:
        raise ValueError(f"{written!r} is no usable duration; it must be above 0 and up to a year.")
    return value


def expand_rules(
    written: Iterable[str], rules: Sequence[tuple[str, str]]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Codes for codes, starts of codes and names as a user writes them; and the unknown ones."""
    found: list[str] = []
    unknown: list[str] = []
    for item in written:
        plain = item.strip()
        upper = plain.upper()
        codes = [
            code
            for code, name in rules
            if name == plain.lower() or (re.match(r"CW\d*$", upper) and code.startswith(upper))
        ]
        found += codes
        if not codes:
            unknown.append(item)
    return tuple(dict.fromkeys(found)), tuple(unknown)


def nearest(name: str, known: Iterable[str]) -> str:
    """`` Did you mean 'x'?`` for a name that resembles a known one, else an empty text."""
    close = get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" Did you mean {close[0]!r}?" if close else ""


def _flatten(values: Mapping[str, Any], editor: bool, problems: list[str]) -> dict[str, Any]:
    """The written values under the dotted names of ``_KEYS``; the others become problems."""
    by_written = {key.editor if editor else key.name: key.name for key in _KEYS}
    tables: set[str] = set()
    for name in by_written:
        parts = name.split(".")
        tables.update(".".join(parts[:depth]) for depth in range(1, len(parts)))
    flat: dict[str, Any] = {}

    def take(name: str, value: object) -> None:
        if editor and (value is None or name in _CLIENT_ONLY):
            return
        if name in by_written:
            flat[by_written[name]] = value
        elif name in tables and isinstance(value, Mapping):
            for inner, inside in cast("Mapping[str, object]", value).items():
                take(f"{name}.{inner}", inside)
        elif name in tables:
            problems.append(f"{name} must be a table; it is not used.")
        else:
            known = by_written if "." in name else {*by_written, *tables}
            problems.append(_unknown(str(name), known))

    for name, value in values.items():
        take(str(name), value)
    return flat


def _unknown(name: str, known: Iterable[str]) -> str:
    return f"{name} is no setting; it is not used.{nearest(name, known)}"


def _validated(flat: dict[str, Any], editor: bool, problems: list[str]) -> dict[str, Any]:
    """The values in their right types. Wrong ones are left out, each with a sentence."""
    if not flat:
        return {}
    # Imported here because it takes longer than a whole check of a small file.
    import pydantic

    good: dict[str, Any] = {}
    for key in _KEYS:
        if key.name not in flat:
            continue
        strict = key.type is bool or key.type is int or key.type is str
        try:
            adapter: pydantic.TypeAdapter[Any] = pydantic.TypeAdapter(
                str if key.type is Duration else key.type
            )
            good[key.name] = adapter.validate_python(flat[key.name], strict=strict)
        except pydantic.ValidationError as error:
            first = error.errors(include_url=False, include_context=False)[0]
            inside = ".".join(str(part) for part in first["loc"])
            where = (key.editor if editor else key.name) + (f".{inside}" if inside else "")
            problems.append(f"{where}: {first['msg']}; it is not used.")
    return good


def _rules(
    written: Sequence[str], rules: Sequence[tuple[str, str]], where: str, problems: list[str]
) -> tuple[str, ...]:
    if not rules:
        return tuple(written)
    found, unknown = expand_rules(written, rules)
    names = [name for pair in rules for name in pair]
    problems += [f"{where}: there is no rule {name!r}.{nearest(name, names)}" for name in unknown]
    return found


def _patterns(written: Sequence[str], where: str, problems: list[str]) -> tuple[str, ...]:
    good: list[str] = []
    for pattern in written:
        try:
            _matches((pattern,), "x")
        except ValueError:
            problems.append(f"{where}: {pattern!r} is no usable pattern; it is not used.")
        else:
            good.append(pattern)
    return tuple(good)


def _matches(patterns: tuple[str, ...], path: str) -> bool:
    """Whether .gitignore-style patterns name a path."""
    spec = _SPECS.get(patterns)
    if spec is None:
        import pathspec

        spec = _SPECS[patterns] = pathspec.GitIgnoreSpec.from_lines(patterns)
    return spec.match_file(path)


_SPECS: dict[tuple[str, ...], Any] = {}


def _traffic(flat: Mapping[str, Any], base: Traffic | None, problems: list[str]) -> Traffic | None:
    every = flat.get("traffic.every")
    calls = flat.get("traffic.calls", base.calls if base else 10)
    output = flat.get("traffic.output-tokens", base.output_tokens if base else 0)
    if calls < 1:
        problems.append("traffic.calls must be at least 1; it is not used.")
        calls = 10
    if output < 0:
        problems.append("traffic.output-tokens must not be negative; it is not used.")
        output = 0
    if every is None:
        if base is not None:
            return replace(base, calls=calls, output_tokens=output)
        if "traffic.calls" in flat or "traffic.output-tokens" in flat:
            problems.append('traffic needs `every` (such as "2m"); without it it is not used.')
        return None
    try:
        return Traffic(seconds(every), calls, output)
    except ValueError as error:
        problems.append(f"traffic.every: {error}")
        return None


def _prices(
    written: Mapping[str, Mapping[str, Decimal]], problems: list[str]
) -> dict[str, Mapping[str, Decimal]]:
    good: dict[str, Mapping[str, Decimal]] = {}
    for model, prices in written.items():
        kept: dict[str, Decimal] = {}
        for name, amount in prices.items():
            field_name = re.sub(r"([a-z])(\d)", r"\1_\2", name.replace("-", "_")).lower()
            field_name = field_name.replace("__", "_")
            if field_name not in _PRICE_FIELDS:
                known = [known.replace("_", "-") for known in _PRICE_FIELDS]
                problems.append(f'prices."{model}": {_unknown(name, known)}')
            elif not amount.is_finite() or amount < 0:
                problems.append(f'prices."{model}".{name} must be a price of 0 or more.')
            else:
                kept[field_name] = amount
        if kept:
            good[model] = kept
    return good
