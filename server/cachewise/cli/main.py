"""Arguments in, exit status out."""

from __future__ import annotations

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from cachewise import __version__
from cachewise.cli.output import InputError, error

_EPILOG = """\
exit status: 0 nothing at or above --fail-on, 1 findings at or above it, 2 a wrong option or input
that cannot be read
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and give its exit status.

    Besides the command's own output only files of the user's cache folder are written.
    """
    words = _join_rules(list(sys.argv[1:] if arguments is None else arguments))
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            # A terminal that cannot show a character gets its escape, not a failed command.
            reconfigure(errors="backslashreplace")
    try:
        return _run(_parser().parse_args(words))
    except InputError as problem:
        error(str(problem))
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader has seen enough. What is left in the buffer must not fail at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _run(options: argparse.Namespace) -> int:
    if options.command != "lsp":
        # A command is over before a collector of cycles has paid for itself.
        gc.set_threshold(100_000)
    # Each command is imported when it is asked for: starting the server needs no report, and
    # checking a file no server.
    match options.command:
        case "check":
            from cachewise.cli.check import check

            return check(options)
        case "cost":
            from cachewise.cli.cost import cost

            return cost(options)
        case "count":
            from cachewise.cli.count import count

            return count(options)
        case "place":
            from cachewise.cli.place import place

            return place(options)
        case "replay" | "diff" | "stats":
            from cachewise.cli import replay

            return {"replay": replay.replay, "diff": replay.diff, "stats": replay.stats}[
                options.command
            ](options)
        case "report":
            from cachewise.cli.report import report

            return report(options)
        case "explain":
            from cachewise.cli.rules import explain

            return explain(options)
        case "rules":
            from cachewise.cli.rules import rules

            return rules(options)
        case "catalog":
            from cachewise.cli.catalog import update

            return update(options)
        case "models":
            from cachewise.cli.models import models

            return models(options)
        case _:
            from cachewise.cli.lsp import lsp

            return lsp(options)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, without repeating the whole usage."""

    def error(self, message: str) -> NoReturn:
        error(f"{message[:1].upper()}{message[1:].rstrip('.')}. See {self.prog} --help.")
        raise SystemExit(2)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="cachewise",
        description="Shows what an LLM provider's prompt cache will do with a request.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"cachewise {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def command(name: str, purpose: str) -> argparse.ArgumentParser:
        return commands.add_parser(name, help=purpose, description=purpose, allow_abbrev=False)

    check = command("check", "Find mistakes and misses in requests.")
    _add_paths(check)
    _add_format(check)
    _add_rule_choice(check)
    check.add_argument(
        "--fail-on",
        choices=("error", "warning", "info", "never"),
        default="warning",
        help="the lowest severity that makes the exit status 1 (default: warning)",
    )
    check.add_argument(
        "--fix", action="store_true", help="repair errors and warnings by changing markers only"
    )
    check.add_argument(
        "--unsafe-fixes",
        action="store_true",
        help="also apply repairs that change more than markers",
    )
    check.add_argument(
        "--diff", action="store_true", help="show what --fix would change, and change nothing"
    )

    cost = command("cost", "Show what requests cost, or what a response has cost.")
    _add_paths(cost, nargs="*")
    _add_format(cost)
    cost.add_argument(
        "--calls", type=_AtLeast(1), metavar="N", help="calls of a run (with --every)"
    )
    cost.add_argument("--every", metavar="DURATION", help="time between two calls: 90s, 2m, 1h")
    cost.add_argument(
        "--output-tokens", type=_AtLeast(0), metavar="N", help="tokens of an answer, for a run"
    )
    cost.add_argument("--model", metavar="M", help="price as if this model were asked for")
    usage = cost.add_argument_group("the price of one response")
    usage.add_argument(
        "--usage",
        metavar="FILE",
        help="a usage object, or a response that contains one; - for stdin",
    )
    usage.add_argument("--provider", metavar="P", help="the provider or platform that answered")
    usage.add_argument(
        "--region", metavar="R", help="the region of the endpoint, where it has a price"
    )
    usage.add_argument("--batch", action="store_true", default=None, help="sent as a batch")
    usage.add_argument("--geo", metavar="G", help="where inference had to take place: us")
    usage.add_argument("--speed", metavar="S", help="the speed asked for: fast")

    count = command("count", "Count the tokens of each block and prefix, offline or exactly.")
    _add_paths(count)
    _add_format(count)
    exact = count.add_argument_group("asking the provider")
    exact.add_argument(
        "--exact",
        action="store_true",
        help="send each request to its provider, which counts it free of charge",
    )
    exact.add_argument("--base-url", metavar="URL", help="send it to this address instead")
    exact.add_argument(
        "--trust-settings",
        action="store_true",
        help="let the project's settings file name the address, which then gets your key",
    )
    exact.add_argument(
        "--timeout",
        type=_Seconds(),
        default=10.0,
        metavar="S",
        help="seconds that all of it may take together (default: 10)",
    )

    place = command("place", "Show where the breakpoints of requests belong, or put them there.")
    _add_paths(place)
    _add_format(place)
    place.add_argument("--calls", type=_AtLeast(1), metavar="N", help="how many calls are coming")
    place.add_argument("--every", metavar="DURATION", help="time between two calls: 90s, 2m, 1h")
    way = place.add_mutually_exclusive_group()
    way.add_argument("--write", action="store_true", help="put them there; only markers change")
    way.add_argument(
        "--diff", action="store_true", help="show what --write would change, and change nothing"
    )

    replay = command("replay", "Replay recorded calls: what each read, and why each miss missed.")
    _add_paths(replay, name="traces", metavar="TRACE")
    replay.add_argument(
        "--format", choices=("text", "json", "html"), default="text", help="the form of the output"
    )

    diff = command("diff", "Does request B still read what request A cached, and if not, why?")
    diff.add_argument("a", metavar="A", help="the earlier request")
    diff.add_argument("b", metavar="B", help="the later request")
    _add_format(diff)

    stats = command("stats", "Sum up usage logs and agents' session logs.")
    _add_paths(stats)
    _add_format(stats)

    report = command("report", "Write findings, costs and cache maps as one HTML page.")
    _add_paths(report)
    report.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="FILE.html",
        help="where to write it; - for standard output",
    )

    explain = command("explain", "Show the documentation of a rule.")
    explain.add_argument("rule", metavar="RULE", help="its code or its name")
    _add_format(explain)

    _add_format(command("rules", "List the rules."))

    models = command("models", "List the models that are known, with minimums and prices.")
    models.add_argument("--provider", metavar="P", help="only the models of one provider")
    _add_format(models)

    catalog = command("catalog", "Keep the catalog of models and prices up to date.")
    actions = catalog.add_subparsers(dest="action", required=True, metavar="ACTION")
    purpose = "Fetch newer prices, and use them from now on."
    update = actions.add_parser("update", help=purpose, description=purpose, allow_abbrev=False)
    update.add_argument(
        "--from",
        dest="source",
        metavar="URL|FILE",
        help="a price list in the form of genai-prices (default: its published one)",
    )
    update.add_argument(
        "--diff", action="store_true", help="show what would change, and change nothing"
    )
    update.add_argument(
        "--timeout", type=_Seconds(), default=30.0, metavar="S", help="seconds (default: 30)"
    )
    _add_format(update)

    lsp = command("lsp", "Start the language server.")
    way = lsp.add_mutually_exclusive_group()
    way.add_argument("--stdio", action="store_true", help="talk over standard input (the default)")
    way.add_argument("--tcp", metavar="HOST:PORT", help="wait for one client on a TCP port")
    return parser


def _add_paths(
    parser: argparse.ArgumentParser, nargs: str = "+", name: str = "paths", metavar: str = "PATH"
) -> None:
    parser.add_argument(
        name, nargs=nargs, metavar=metavar, help="files, folders, or - for standard input"
    )
    parser.add_argument(
        "--stdin-filename", metavar="NAME", help="the name that gives standard input its format"
    )


def _add_format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="the form of the output"
    )


def _add_rule_choice(parser: argparse.ArgumentParser) -> None:
    for name, what in (("select", "apply only these rules"), ("ignore", "leave these rules out")):
        parser.add_argument(
            f"--{name}",
            action="append",
            metavar="R",
            default=[],
            help=f"{what}: codes, starts of codes, or names; commas or several words",
        )


def _join_rules(words: list[str]) -> list[str]:
    """``--select CW101 ttl-order`` as ``--select CW101,ttl-order``.

    A word behind the first one belongs to the option when it looks like a rule and no file has
    that name, so that ``--select CW1 request.json`` still means the file.
    """
    joined: list[str] = []
    open_option = False
    for word in words:
        if open_option and _is_rule(word):
            joined[-1] += f",{word}"
            continue
        open_option = joined[-1:] in (["--select"], ["--ignore"])
        joined.append(word)
    return joined


def _is_rule(word: str) -> bool:
    if word[:2].upper() == "CW" and word[2:].isdigit():
        return not Path(word).exists()
    if "/" in word or "." in word or "-" not in word.strip("-") or word.startswith("-"):
        return False
    from cachewise.analysis.reference import BY_NAME

    return word in BY_NAME and not Path(word).exists()


class _AtLeast:
    """A whole number not below a limit, as argparse wants a type."""

    def __init__(self, limit: int) -> None:
        self.limit = limit

    def __call__(self, written: str) -> int:
        number = int(written) if written.isdecimal() and len(written) < 16 else -1
        if number < self.limit:
            raise argparse.ArgumentTypeError(
                f"must be a whole number of at least {self.limit}, not {written!r}"
            )
        return number


class _Seconds:
    """A time in seconds, as argparse wants a type: above 0, up to an hour."""

    def __call__(self, written: str) -> float:
        try:
            seconds = float(written)
        except ValueError:
            seconds = 0.0
        if not 0 < seconds <= 3600:
            raise argparse.ArgumentTypeError(f"must be seconds between 0 and 3600, not {written!r}")
        return seconds
