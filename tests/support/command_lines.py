"""Whether a line that a page tells users to type can be typed: its command and options are there."""

import os
import re
import shlex
import subprocess
import tomllib
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Final

import celery.bin.control
import celery.bin.worker
import click
import tornado.options
from flower import options as _of_flower  # noqa: F401 - defines Flower's options as it is imported

from producer.commands.cli import main
from tests.support.place import PROJECT
from worker.delivery.options import COMPARED, REFUSED
from worker.settings.fleet import Settings

_ASSIGNMENT: Final = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_OPERATORS: Final = frozenset("();<>|&")


def problems(line: str, *, strange: bool = False) -> Iterator[str]:
    """Say what is wrong with a line; `strange`: other programs than this project's may be anything."""
    for variable in re.findall(r"\bFLEET_[A-Z0-9_]+", line):
        if variable.removeprefix("FLEET_").lower() not in Settings.model_fields:
            yield f"{variable} is no setting"
    for words in _commands(line):
        program, *arguments = words
        check = _CHECKS.get(Path(program).name)
        if check is not None:
            yield from check(arguments)
        elif not strange:
            yield f"nobody has tried {program}"


def _commands(line: str) -> Iterator[list[str]]:
    """Yield each command of a line, without assignments and redirections."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    skip = False
    for word in [*lexer, ";"]:
        if set(word) <= _OPERATORS:
            skip = set(word) <= set("<>")
            if not skip and words:
                yield words
                words = []
        elif skip:
            skip = False
        elif words or not _ASSIGNMENT.fullmatch(word):
            words.append(word)


def _producer(arguments: list[str]) -> Iterator[str]:
    if not arguments or arguments[0].startswith("-"):
        yield from _parsed(main, arguments)
    elif (command := main.commands.get(arguments[0])) is None:
        yield f"`producer {arguments[0]}` is no command"
    else:
        yield from _parsed(command, arguments[1:])


def _parsed(command: click.Command, arguments: list[str]) -> Iterator[str]:
    """Parse arguments as the command would, but for its look at files and folders."""
    context = click.Context(command, info_name=command.name)
    try:
        given, rest, _ = command.make_parser(context).parse_args([*arguments])
        if rest:
            yield f"{command.name} does not take {rest}"
        for parameter in command.params:
            value = given.get(str(parameter.name))
            if parameter.required and parameter.value_is_missing(value):
                yield f"{command.name} needs {parameter.human_readable_name}"
            if isinstance(value, str) and not isinstance(parameter.type, click.Path):
                parameter.type_cast_value(context, value)
    except click.ClickException as error:
        yield error.format_message()


def _celery(arguments: list[str]) -> Iterator[str]:
    app, arguments = arguments[:2], arguments[2:]
    if app != ["-A", "worker"] or not arguments:
        yield "a celery command begins with -A worker"
        return
    command, *rest = arguments
    if command == "worker":
        yield from _parsed(celery.bin.worker.worker, rest)
        refused = {f"--{name.replace('_', '-')}" for name in (*REFUSED, *COMPARED)}
        for option in celery.bin.worker.worker.params:
            if refused & {*option.opts} and {*option.opts} & {*rest}:
                yield f"a worker refuses {option.opts}"
    elif command == "flower":
        known = {name.replace("_", "-") for name in tornado.options.options}
        names = [word.removeprefix("--").partition("=")[0] for word in rest]
        yield from (f"Flower has no option {name}" for name in names if name not in known)
    elif command in {"inspect", "control"}:
        yield from _parsed(getattr(celery.bin.control, command), rest)
    else:
        yield f"`celery -A worker {command}` is nobody's"


def _make(arguments: list[str]) -> Iterator[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    made = subprocess.run(
        ["make", "--dry-run", *arguments],  # noqa: S607 - on the PATH
        cwd=PROJECT,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    if made.returncode:
        yield made.stderr


def _python(arguments: list[str]) -> Iterator[str]:
    match arguments:
        case ["-m", "venv", *_]:
            pass
        case ["-m", module, *_] if module.startswith(("worker", "tests", "producer")):
            if find_spec(module) is None:
                yield f"{module} is no module"
        case _:
            yield f"python {arguments} is not known"


def _pip(arguments: list[str]) -> Iterator[str]:
    extras = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    for listed in re.findall(r"\[(.*?)\]", " ".join(arguments)):
        yield from (f"there is no extra {name}" for name in listed.split(",") if name not in extras)
    if "-c" in arguments and not (PROJECT / arguments[arguments.index("-c") + 1]).is_file():
        yield "there are no such constraints"


def _nothing(_: list[str]) -> Iterator[str]:
    return iter(())


_CHECKS: Final[Mapping[str, Callable[[list[str]], Iterator[str]]]] = MappingProxyType(
    {
        "celery": _celery,
        "cd": _nothing,
        "export": _nothing,
        "make": _make,
        "pip": _pip,
        "producer": _producer,
        "python": _python,
        "python3": _python,
    }
)
