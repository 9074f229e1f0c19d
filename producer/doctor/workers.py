"""The workers that are up: of which model, profile and version, and whether they would take this machine's rows."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from producer.collecting.fleet import PATIENCE, fleet_status
from producer.doctor.finding import Finding, Role, note, well
from worker.contract.version import own_version
from worker.settings.fleet import Settings

#: Names of workers that a line lists.
_NAMED: Final = 4


class _Kind(NamedTuple):
    """What workers have in common that do the same with a row."""

    queue: str
    model: str
    profile: str
    version: str


def look_at_workers(settings: Settings, role: Role) -> Iterator[Finding]:
    """Ask every worker; one line for those that are alike, the ones first that take this machine's rows."""
    yield from workers_found(fleet_status(settings, PATIENCE), settings, role)


def workers_found(answers: Mapping[str, Mapping[str, Any]], settings: Settings, role: Role) -> Iterator[Finding]:
    """Say what the answers of workers, by their names, mean."""
    kinds: dict[_Kind, list[str]] = {}
    for name, facts in sorted(answers.items()):
        told = (str(facts.get(key, "unknown")) for key in ("queue", "model", "profile", "version"))
        kinds.setdefault(_Kind(*told), []).append(name)
    queue = settings.lane
    ours = {kind: names for kind, names in kinds.items() if kind.queue == queue}
    if not ours:
        yield _none(settings, role)
    for kind, names in ours.items():
        yield _ours(kind, names, alone=len(ours) == 1)
    for kind, names in kinds.items():
        if kind not in ours:
            yield note(
                "workers",
                f"{_listed(names)} of {kind.model} ({kind.queue}) take no row of {settings.model} ({queue})",
                "give producer and workers the same FLEET_DIFFUSER_MODEL_NAME, FLEET_HF_MODEL_NAME_OR_PATH,"
                " FLEET_HF_REVISION, FLEET_IMAGE_GEN_TASK and version",
            )


def _none(settings: Settings, role: Role) -> Finding:
    found = f"no worker is up for {settings.model}"
    if role is Role.WORKER:
        return well("workers", f"{found} yet")
    return note("workers", found, "start one (celery -A worker worker); rows that are sent before wait for it")


def _ours(kind: _Kind, names: list[str], *, alone: bool) -> Finding:
    found = f"{_listed(names)} up for {kind.model}: version {kind.version}, profile {kind.profile}"
    here = own_version()
    if not alone:
        return note("workers", f"{found}, and others differ, so that pictures of one run may", "start them alike")
    if kind.version not in {here, "unknown"}:
        return note("workers", f"{found}, where this machine has {here}", "install the same on all")
    return well("workers", found)


def _listed(names: list[str]) -> str:
    more = f", … and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f"{len(names)} {'worker' if len(names) == 1 else 'workers'} ({', '.join(names[:_NAMED])}{more})"
