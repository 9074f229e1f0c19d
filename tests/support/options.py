"""The options of the command line as the pages about it list them."""

from collections import defaultdict
from collections.abc import Iterator

import click

from producer.commands.cli import main


def options() -> Iterator[tuple[str, click.Option]]:
    """Yield each option of each command, with the command's name."""
    for name, command in sorted(main.commands.items()):
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                yield name, parameter


def setting_of(option: click.Option) -> str | None:
    """Return the variable that an option stands for, whose words are its help; None where it has words of its own."""
    variable = f"FLEET_{str(option.name).upper()}"
    return variable if str(option.help).endswith(f"({variable})") else None


def rows_of_settings() -> list[str]:
    """Make the lines of the table of options that are settings, too, in the order of the commands' help."""
    commands: dict[str, list[str]] = defaultdict(list)
    for command, option in options():
        if variable := setting_of(option):
            commands[f"| {_flags(option)} | `{variable}` |"].append(command)
    return [f"{row} {_list(names)} |" for row, names in sorted(commands.items())]


def rows_of_others() -> list[str]:
    """Make the lines of the table of all other options."""
    commands: dict[tuple[str, str], list[str]] = defaultdict(list)
    for command, option in options():
        if not setting_of(option):
            commands[_flags(option), _words(option)].append(command)
    return [f"| {flags} | {_list(names)} | {words} |" for (flags, words), names in sorted(commands.items())]


def _flags(option: click.Option) -> str:
    """Name an option in each of its spellings, with what it takes."""
    choices = "|".join(map(str, option.type.choices)) if isinstance(option.type, click.Choice) else ""
    takes = option.metavar or choices
    names = "/".join([*option.opts[:1], *option.secondary_opts])
    return ", ".join([f"`{f'{names} {takes}'.strip()}`", *(f"`{short}`" for short in option.opts[1:])]).replace(
        "|", "\\|"
    )


def _words(option: click.Option) -> str:
    default = f" Default: {option.default}." if option.show_default else ""
    help_text = str(option.help).replace("  (", " (").replace("|", "\\|")
    return f"{help_text}{default}"


def _list(names: list[str]) -> str:
    return "all" if len(names) == len(main.commands) else " ".join(f"`{name}`" for name in names)
