"""The settings of each document: what the editor says, and over it what its project's file says.

The file wins, so that an editor and a build machine agree; an editor also tells its defaults for
all that its user never set. Read when something may have changed, never per keystroke.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from lsprotocol import types
from pygls.uris import to_fs_path

if TYPE_CHECKING:
    from cachewise.analysis import Options
    from cachewise.lsp.server import Server
    from cachewise.lsp.store import OpenDocument
    from cachewise.settings import Configuration as FileConfiguration
    from cachewise.settings import Settings

_log = logging.getLogger(__name__)

SECTION = "cachewise"
FILES = ("cachewise.toml", "pyproject.toml")
"""Names of the files that hold settings."""

ANSWER_SECONDS = 5.0
"""How long the client may take to tell its settings before the server goes on without them."""

_CLIENT_ONLY = {"trusted", "changes", "commands"}


class Configuration:
    """What the client and the files say, and the options made of it, kept until one changes."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._editor: dict[str, Mapping[str, Any]] = {}
        self._initial: Mapping[str, Any] = {}
        self._files: dict[Path, tuple[Settings, FileConfiguration]] = {}
        self._by_uri: dict[str, Options | None] = {}
        self._made: list[tuple[Settings, Options]] = []
        self._today = datetime.now(UTC).date()
        self._told: set[str] = set()

    def start_with(self, options: object) -> None:
        """Take the ``initializationOptions``, for clients that cannot be asked."""
        self._initial = _own_section(options)

    def pushed(self, settings: object) -> None:
        """Take settings that a client sent on its own."""
        self._initial = _own_section(settings)
        self._forget()

    async def pull(self) -> None:
        """Ask the client for its settings, for every workspace folder."""
        folders = self._folders()
        items = [types.ConfigurationItem(section=SECTION)]
        items += [types.ConfigurationItem(scope_uri=uri, section=SECTION) for uri in folders]
        try:
            answer = await asyncio.wait_for(
                self._server.workspace_configuration_async(types.ConfigurationParams(items)),
                ANSWER_SECONDS,
            )
        except Exception as error:
            _log.warning("The client did not tell its settings: %r", error)
            return
        values = cast("list[Any]", answer or [])
        self._editor = {
            uri: value
            for uri, value in zip(["", *folders], values, strict=False)
            if isinstance(value, dict)
        }
        self._forget()

    def files_changed(self) -> bool:
        """Read the settings files again; whether what they say has changed."""
        if not self._files:
            return False
        known = dict(self._files)
        self._files.clear()
        changed = any(
            self._file(folder, base) != before for folder, (base, before) in known.items()
        )
        if changed:
            self._by_uri.clear()
        return changed

    def options(self, document: OpenDocument) -> Options | None:
        """The options to analyse a document by; None when the settings exclude it."""
        today = datetime.now(UTC).date()
        if today != self._today:
            self._today = today
            self._forget()
        if document.uri not in self._by_uri:
            self._by_uri[document.uri] = self._options(document)
        return self._by_uri[document.uri]

    def forget(self, uri: str) -> None:
        """Drop what is kept for a document that was closed."""
        self._by_uri.pop(uri, None)

    def _forget(self) -> None:
        self._by_uri.clear()
        self._made.clear()

    def _options(self, document: OpenDocument) -> Options | None:
        # Imported here: documents without a request never need any of it.
        from cachewise.analysis.reference import RULE_NAMES, catalog_with, options_for
        from cachewise.remote.prices import kept_prices
        from cachewise.settings import parse_settings

        path = Path(document.path) if document.path else None
        settings, problems = parse_settings(
            self._editor_values(document.uri), rules=RULE_NAMES, editor=True
        )
        found = self._file(path.parent if path is not None else self._first_folder(), settings)
        for problem in (*found.problems, *problems):
            self._tell(problem)
        settings = found.settings
        if path is not None:
            if found.excludes(path):
                return None
            settings = found.for_file(path)
        for known, options in self._made:
            if known == settings:
                return options
        kept = kept_prices(os.environ)
        catalog, odd = catalog_with(None if kept is None else kept[1])
        if kept is not None and odd is not None:
            self._tell(f"{kept[0]}: {odd} The packaged prices are used.")
        options, problems = options_for(settings, self._today, catalog=catalog, exact_tokens=False)
        for problem in problems:
            self._tell(problem)
        self._made.append((settings, options))
        return options

    def _file(self, folder: Path | None, base: Settings) -> FileConfiguration:
        """The settings in a folder, those of its file over ``base``; each file is read once."""
        from cachewise.analysis.reference import RULE_NAMES
        from cachewise.settings import Configuration as FileConfiguration
        from cachewise.settings import find_settings

        if folder is None:
            return FileConfiguration(base)
        known = self._files.get(folder)
        if known is not None and known[0] == base:
            return known[1]
        found = find_settings(folder, base=base, rules=RULE_NAMES)
        self._files[folder] = (base, found)
        return found

    def _folders(self) -> list[str]:
        """The URIs of the workspace's folders as the client writes them, as in its documents' URIs.

        The library's own keys are decoded: a folder with a blank in its name would not be found.
        """
        return [folder.uri for folder in self._server.workspace.folders.values()]

    def _first_folder(self) -> Path | None:
        for uri in self._folders():
            path = to_fs_path(uri)
            if path:
                return Path(path)
        return None

    def _editor_values(self, uri: str) -> Mapping[str, Any]:
        """What the editor says for a document: its innermost folder's values."""
        around = [
            folder for folder in self._editor if folder and uri.startswith(folder.rstrip("/") + "/")
        ]
        if around:
            return self._editor[max(around, key=len)]
        return self._editor.get("", self._initial)

    def _tell(self, problem: str) -> None:
        if problem in self._told:
            return
        self._told.add(problem)
        _log.warning("%s", problem)
        self._server.window_log_message(
            types.LogMessageParams(type=types.MessageType.Warning, message=problem)
        )


def _own_section(settings: object) -> Mapping[str, Any]:
    """Our part of settings that came with those of others, or as they are."""
    if not isinstance(settings, Mapping):
        return {}
    values = cast("Mapping[str, Any]", settings)
    for name in (SECTION, "settings"):
        inner: object = values.get(name)
        if isinstance(inner, Mapping):
            return _own_section(cast("Mapping[str, Any]", inner))
    return {name: value for name, value in values.items() if name not in _CLIENT_ONLY}
