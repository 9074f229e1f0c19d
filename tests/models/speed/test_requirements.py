"""A profile that a machine cannot do is refused in one sentence, which names what is missing and what works."""

from dataclasses import replace

import pytest

from worker.contract.errors import ModelError
from worker.contract.profiles import PROFILES, Profile, ProfileName
from worker.models.speed.capabilities import Machine
from worker.models.speed.requirements import require
from worker.models.weights.loading import require_room
from worker.settings.fleet import load_settings

NO_GCC = "a compiler (gcc; in Debian: apt-get install gcc)"
NO_FP8 = "a GPU that multiplies in fp8 (compute capability 8.9; NVIDIA A100 has 8.0)"
NO_TRITON = "a GPU that kernels can be compiled for (compute capability 8.0; NVIDIA A100 has 7.5)"


def machine(capability: tuple[int, int] | None, lacks: str | None = None) -> Machine:
    """Describe a machine."""
    name = "this CPU" if capability is None else "NVIDIA A100"
    has_fp8 = capability is None or capability >= (8, 9)
    return Machine(
        name=name, is_gpu=capability is not None, capability=capability, has_fp8=has_fp8, lacks_compiler=lacks
    )


@pytest.mark.parametrize(
    ("profile", "capability"),
    [("reference", (6, 1)), ("exact", (8, 6)), ("exact", (8, 0)), ("fast", (8, 9)), ("fast", (9, 0)), ("fast", None)],
)
def test_a_profile_that_works_is_accepted(profile: ProfileName, capability: tuple[int, int] | None) -> None:
    """fp8 needs Ada or newer, a compiler's kernels Ampere or newer, and a CPU does all of it, slowly."""
    require(PROFILES[profile], machine(capability))


@pytest.mark.parametrize(
    ("profile", "capability", "lacks", "sentence"),
    [
        ("fast", (8, 0), None, f"FLEET_PROFILE=fast needs {NO_FP8}; FLEET_PROFILE=exact works here."),
        ("exact", (9, 0), NO_GCC, f"FLEET_PROFILE=exact needs {NO_GCC}; FLEET_PROFILE=reference works here."),
        (
            "fast",
            (8, 0),
            NO_GCC,
            f"FLEET_PROFILE=fast needs {NO_FP8} and {NO_GCC}; FLEET_PROFILE=reference works here.",
        ),
        (
            "exact",
            (7, 5),
            None,
            f"FLEET_PROFILE=exact needs {NO_TRITON}; FLEET_PROFILE=reference works here.",
        ),
    ],
)
def test_one_that_does_not_is_refused(
    profile: ProfileName, capability: tuple[int, int], lacks: str | None, sentence: str
) -> None:
    """Everything that is missing is named, and the fastest profile that works."""
    with pytest.raises(ModelError) as refused:
        require(PROFILES[profile], machine(capability, lacks))
    assert str(refused.value) == sentence


def test_a_part_that_was_set_is_not_the_profiles_fault() -> None:
    """Where a part beside the profile needs what is missing, the sentence names its variable, which is to be unset."""
    with pytest.raises(ModelError) as refused:
        require(replace(PROFILES["reference"], compiled=True), machine(None, NO_GCC))
    assert str(refused.value) == f"FLEET_COMPILE=true needs {NO_GCC}; unset it."
    with pytest.raises(ModelError) as refused:
        require(replace(PROFILES["exact"], fp8=True), machine((8, 0)))
    assert str(refused.value) == f"FLEET_FP8=true needs {NO_FP8}; unset it."


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"profile": "fast"}, "fast"),
        ({"profile": "fast", "fp8": False}, "fast (fp8=False)"),
        ({"step_interval": 4, "compile": False}, "exact (compiled=False, step_interval=4)"),
    ],
)
def test_a_profile_says_what_is_not_its_own(given: dict[str, object], said: str) -> None:
    """What pictures and the log say of how they were made names the parts that were set apart."""
    assert str(load_settings(**given).profile_on(gpu=True)) == said


def test_weights_that_do_not_fit_are_refused_with_the_numbers() -> None:
    """What is needed, what is free and what there is stand in the sentence."""
    require_room(33 * 2**30, 33 * 2**30, 80 * 2**30)
    with pytest.raises(ModelError, match=r"need 33\.0 GiB of the GPU's memory, and 20\.5 of 24\.0 GiB are free;"):
        require_room(33 * 2**30, int(20.5 * 2**30), 24 * 2**30)


def test_a_gpu_gets_exact_and_a_cpu_reference() -> None:
    """Where no profile is named, FLUX-Kontext is compiled on a GPU; the demo, and any model on a CPU, are not."""
    settings = load_settings()
    assert settings.profile_on(gpu=True) == PROFILES["exact"]
    assert settings.profile_on(gpu=False) == PROFILES["reference"]
    assert load_settings(diffuser_model_name="demo").profile_on(gpu=True) == PROFILES["reference"]
    assert load_settings(diffuser_model_name="demo", profile="fast").profile_on(gpu=False) == PROFILES["fast"]


@pytest.mark.parametrize(
    ("given", "part", "value"),
    [
        ({"compile": False}, "compiled", False),
        ({"attention": "_flash_3"}, "attention", "_flash_3"),
        ({"fuse_qkv": False}, "fused", False),
        ({"fp8": False}, "fp8", False),
        ({"step_interval": 3}, "step_interval", 3),
    ],
)
def test_each_part_can_be_set_by_itself(given: dict[str, object], part: str, value: object) -> None:
    """A part that is set is as it is set, and the others are the profile's."""
    profile = load_settings(profile="fast", **given).profile_on(gpu=True)
    expected = {name: getattr(PROFILES["fast"], name) for name in Profile.__dataclass_fields__} | {part: value}
    assert profile == Profile(**expected)
