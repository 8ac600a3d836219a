"""Write the settings of the VS Code extension from those of the server.

    python scripts/build_vsix_settings.py [--check]

``cachewise.settings.settings_keys`` defines each setting once: name, type, default and meaning.
Here they become ``contributes.configuration`` of package.json and their English descriptions in
package.nls.json. What only the client knows (``cachewise.interpreter``,
``cachewise.trace.server``) and the translations stay as they were written by hand. With ``--check``
nothing is written, and the exit status is 1 when a file is not up to date.
"""

import argparse
import json
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from cachewise.settings import Duration, Key, settings_keys

ROOT = Path(__file__).resolve().parent.parent

#: The settings that the server is not told of.
CLIENT_ONLY = ("cachewise.interpreter", "cachewise.trace.server")

#: The least value of a whole number, where there is one.
MINIMUM = {"traffic.calls": 1, "traffic.output-tokens": 0}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="only say whether all is up to date")
    options = parser.parse_args()
    stale = [path for path, text in generated().items() if path.read_text("utf-8") != text]
    for path in stale:
        print(f"{path.name} is not up to date" if options.check else f"wrote {path.name}")
    if not options.check:
        for path, text in generated().items():
            path.write_text(text, encoding="utf-8")
    return 1 if options.check and stale else 0


def generated() -> dict[Path, str]:
    """The two files with the settings as the server has them now, by their paths."""
    manifest_path = ROOT / "package.json"
    texts_path = ROOT / "package.nls.json"
    manifest = json.loads(manifest_path.read_text("utf-8"))
    texts = json.loads(texts_path.read_text("utf-8"))
    configuration = manifest["contributes"]["configuration"]
    kept = {name: configuration["properties"][name] for name in CLIENT_ONLY}
    properties: dict[str, Any] = {}
    for order, key in enumerate(settings_keys(), start=1):
        properties[f"cachewise.{key.editor}"] = schema(key, order)
        texts[f"config.{key.editor}"] = key.doc
    configuration["properties"] = properties | kept
    return {manifest_path: written(manifest), texts_path: written(texts)}


def schema(key: Key, order: int) -> dict[str, Any]:
    """One setting as VS Code's JSON schema; its texts are names into package.nls.json."""
    text = f"config.{key.editor}"
    made: dict[str, Any] = {"order": order}
    if key.type is bool:
        made["type"] = "boolean"
    elif key.type is int:
        made["type"] = "integer"
        made["minimum"] = MINIMUM[key.name]
    elif key.type is str:
        made["type"] = ["string", "null"]
    elif key.type is Duration:
        made["type"] = ["string", "null"]
        made["pattern"] = r"^[0-9]+(\.[0-9]+)?\s*[smhdSMHD]$"
        made["patternErrorMessage"] = f"%{text}.pattern%"
    elif get_origin(key.type) is Literal:
        made["type"] = "string"
        made["enum"] = list(get_args(key.type))
        made["enumDescriptions"] = [f"%{text}.{value}%" for value in made["enum"]]
    elif get_origin(key.type) is list:
        made["type"] = "array"
        made["items"] = {"type": "string"}
        made["uniqueItems"] = True
    elif get_origin(key.type) is dict:
        made["type"] = "object"
        if get_origin(get_args(key.type)[1]) is list:
            made["additionalProperties"] = {"type": "array", "items": {"type": "string"}}
        else:
            amounts = {"type": ["string", "number"]}
            made["additionalProperties"] = {"type": "object", "additionalProperties": amounts}
    else:
        raise SystemExit(f"{key.name}: no schema is known for the type {key.type}")
    made["default"] = key.default
    made["scope"] = "resource"
    made["markdownDescription"] = f"%{text}%"
    return made


def written(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
