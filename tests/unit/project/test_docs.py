"""What the user reads is what there is."""

import re
from collections.abc import Callable

import click
import pytest

from producer.commands.cli import main
from producer.rows.element import LONGEST_LINE
from producer.rows.kinds import Kind
from producer.rows.overrides import Overrides
from producer.rows.packing import PACKERS
from tests.support.options import options, rows_of_others, rows_of_settings
from tests.support.place import PROJECT
from tests.support.secure import FLEET_RIGHTS
from worker.contract.catalog import MODELS
from worker.contract.parameters import LONGEST_PROMPT
from worker.contract.row_warnings import MEANING, RowWarning
from worker.settings.fleet import Settings, load_settings
from worker.settings.presets import PRESETS

README = (PROJECT / "README.md").read_text()
COMMANDS = (PROJECT / "docs/commands.md").read_text()
SETTINGS = (PROJECT / "docs/settings.md").read_text()
REFERENCE = (PROJECT / "docs/input-and-output.md").read_text()
FAULTS = (PROJECT / "docs/faults.md").read_text()
PAGES = ["README.md", "BENCHMARKS.md", *(str(p.relative_to(PROJECT)) for p in sorted((PROJECT / "docs").rglob("*.md")))]


@pytest.mark.parametrize("name", Settings.model_fields)
def test_the_page_has_every_setting(name: str) -> None:
    """Each setting has its row, with its own default and description."""
    field = Settings.model_fields[name]
    default = "" if field.default is None else f"`{field.default}`"
    (line,) = (line for line in SETTINGS.splitlines() if line.startswith(f"| `FLEET_{name.upper()}` |"))
    assert line.endswith(f"| {default} | {field.description} |")


@pytest.mark.parametrize("command", main.commands.values(), ids=lambda command: command.name)
def test_every_command_is_documented(command: click.Command) -> None:
    """Each command has its row and help, and so has each of its options."""
    assert f"\n| `producer {command.name} " in COMMANDS
    assert command.help
    assert [option.name for name, option in options() if name == command.name and not option.help] == []


@pytest.mark.parametrize(
    ("heading", "rows"),
    [("Options that are settings, too", rows_of_settings), ("All other options", rows_of_others)],
)
def test_every_option_is_documented(heading: str, rows: Callable[[], list[str]]) -> None:
    """Each option has its row, with the commands that take it, and what it is or does, and there is no other."""
    (table,) = re.findall(rf"\n## {heading}\n.*?\n\|---\|---\|---\|\n(.*?)\n(?:\n|\Z)", COMMANDS, re.DOTALL)
    assert table.splitlines() == rows()


@pytest.mark.parametrize("name", Overrides.model_fields)
def test_every_parameter_of_a_row_is_documented(name: str) -> None:
    """Each key that a row's own object may have is in the reference."""
    assert f"\n| `{name}` |" in REFERENCE


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_is_documented(name: str) -> None:
    """Each preset is in the reference's table, with its columns."""
    settings = load_settings(preset=name)
    columns = (settings.input_image_key, settings.input_conversation_key, settings.output_image_key)
    assert f"\n| `{name}` | {' | '.join(f'`{column}`' for column in columns)} | " in REFERENCE


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_file_is_documented(kind: Kind) -> None:
    """Each kind of file that is read is in the reference's table, and the table has no other; so is what packs it."""
    assert f"\n| {kind.value} | " in REFERENCE
    (table,) = re.findall(r"\n## Kinds of files\n.*?\n\|---\|---\|---\|\n(.*?)\n\n", REFERENCE, re.DOTALL)
    assert len(table.splitlines()) == len(Kind)
    assert all(re.search(rf"packed with [^.]*\b{name}\b", REFERENCE) for name in PACKERS)


@pytest.mark.parametrize("kind", RowWarning)
def test_every_kind_of_warning_is_documented(kind: RowWarning) -> None:
    """Each kind of warning is in the reference's table, with its meaning, and the table has no other."""
    assert f"\n| `{kind}` | {MEANING[kind]} |\n" in REFERENCE
    (table,) = re.findall(r"\n## Warnings\n.*?\n\|---\|---\|\n(.*?)\n\n", REFERENCE, re.DOTALL)
    assert len(table.splitlines()) == len(RowWarning)


@pytest.mark.parametrize(
    "fact",
    [
        f"{LONGEST_LINE // 2**20} MiB",
        f"{LONGEST_PROMPT:,} characters",
        *(
            f"`fleet:{name}`"
            for name in ("fingerprint", "instruction", "seed", "steps", "guidance", "model", "profile")
        ),
    ],
)
def test_the_reference_has_the_limits(fact: str) -> None:
    """Limits and names that the reference tells are those of the code."""
    assert fact in REFERENCE


def test_the_rights_are_those_of_the_tests() -> None:
    """The rule for Redis' users that the page on faults gives is the one with which the fleet is tested."""
    assert f"user fleet on >PASSWORD {FLEET_RIGHTS}\n" in FAULTS


@pytest.mark.parametrize("page", PAGES)
def test_settings_of_pages_are_there(page: str) -> None:
    """Each variable that a page names is a setting."""
    found = set(re.findall(r"FLEET_([A-Z0-9_]*[A-Z0-9])", (PROJECT / page).read_text()))
    assert {name.lower() for name in found} <= set(Settings.model_fields)


@pytest.mark.parametrize("page", PAGES)
def test_commands_in_running_text_are_there(page: str) -> None:
    """Each command that a sentence names is one, with the options that stand beside it, and each target is make's."""
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", (PROJECT / page).read_text(), flags=re.DOTALL))
    targets = set(re.findall(r"^([a-z]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    for span in spans:
        if found := re.match(r"producer ([a-z-]+)", span):
            command = main.commands[found[1]]
            known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)}
            assert set(re.findall(r"(?<!\S)\[?(--[a-z-]+)", span)) <= known | {"--help"}, span
        elif found := re.match(r"make ([a-z]+)$", span):
            assert found[1] in targets


@pytest.mark.parametrize("page", ["examples/README.md", *PAGES])
def test_links_lead_somewhere(page: str) -> None:
    """Each relative link of a page is a file or a folder, and where it names a heading, that is there."""
    text = (PROJECT / page).read_text()
    for link, _, heading in (found.partition("#") for found in re.findall(r"\]\(([^):]+)\)", text)):
        target = (PROJECT / page).parent / link if link else PROJECT / page
        assert target.exists(), link
        if heading:
            assert heading in headings(target.read_text()), f"{link}#{heading}"


def headings(text: str) -> set[str]:
    """Return the headings of a page as links name them: small letters, without signs, joined by hyphens."""
    found = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


def test_the_first_page_has_every_model_with_its_licence() -> None:
    """Each known checkpoint has its row: licence, work, and images per GPU-hour where somebody has measured them."""
    rows = []
    for spec, one in [(model, weights) for model in MODELS.values() for weights in model.checkpoints]:
        rate = "not measured" if one.seconds is None else f"{3600 / one.seconds:.0f}"
        rows.append(f"| `{spec.name}` | {one.hub_id} | {one.licence} | {spec.steps} | {one.pflop} | {rate} |")
    (table,) = re.findall(r"\n## Models and their licences\n.*?\n\|---.*?\n(.*?)\n\n", README, re.DOTALL)
    assert table.splitlines() == rows
