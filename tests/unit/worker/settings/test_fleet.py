"""Every setting is read from its variable, and a wrong one is refused in one sentence that names it."""

import re
import traceback
from pathlib import Path
from typing import get_args

import pytest

from worker.contract.buckets import KONTEXT_BUCKETS
from worker.contract.catalog import listed
from worker.contract.errors import SettingsError
from worker.settings.fleet import Settings, load_settings
from worker.settings.presets import PRESETS, PresetName

#: (field, text of its variable, value)
READ = [
    ("broker_url", "redis://:pw@host:6380/1", "redis://:pw@host:6380/1"),
    ("broker_patience", "90", 90.0),
    ("diffuser_model_name", "demo", "demo"),
    ("hf_model_name_or_path", "someone/weights", "someone/weights"),
    ("hf_revision", "v2", "v2"),
    ("hf_cache_dir", "/cache", Path("/cache")),
    ("hf_local_dir", "/models", Path("/models")),
    ("image_gen_task", "text2image", "text2image"),
    ("profile", "fast", "fast"),
    ("compile", "false", False),
    ("attention", "_native_cudnn", "_native_cudnn"),
    ("fuse_qkv", "true", True),
    ("fp8", "no", False),
    ("step_interval", "3", 3),
    ("compile_cache", "/kernels", Path("/kernels")),
    ("warm_up", "1024x1024, 832x1248", "1024x1024, 832x1248"),
    ("prompt_cache", "64", 64),
    ("lora_cache", "64", 64),
    ("lora_root", "/loras", Path("/loras")),
    ("batch_size", "8", 8),
    ("batch_wait", "0.5", 0.5),
    ("rows_in_flight", "32", 32),
    ("max_pixels", "5000000", 5_000_000),
    ("visibility_timeout", "90", 90),
    ("max_crashes", "1", 1),
    ("max_failures", "10", 10),
    ("batch_timeout", "0.5", 0.5),
    ("images_from", "/data", Path("/data")),
    ("attempts", "2", 2),
    ("input_root", "/data", Path("/data")),
    ("input_root", "S3://bucket/in/", "s3://bucket/in"),
    ("output_root", "/runs", Path("/runs")),
    ("allow_urls", "Images.Example.org.:443, b.example.:08443", ("images.example.org", "b.example:8443")),
    ("metrics_port", "9100", 9100),
    ("metrics_address", "10.0.0.7", "10.0.0.7"),
    ("log_format", "json", "json"),
    ("log_rows", "true", True),
    ("worker_python", "/opt/workers/bin/python", Path("/opt/workers/bin/python")),
    ("run_dir", "runs/a", Path("runs/a")),
    ("shard_folders", "10000", 10_000),
    ("pictures", "s3://bucket/prefix/", "s3://bucket/prefix"),
    ("output", "out.jsonl", Path("out.jsonl")),
    ("output_images", "bytes", "bytes"),
    ("output_paths", "relative", "relative"),
    ("preset", "llava", "llava"),
    ("input_image_key", "picture", "picture"),
    ("input_conversation_key", "talk", "talk"),
    ("input_edit_key", "own", "own"),
    ("output_image_key", "edited", "edited"),
    ("output_error_key", "wrong", "wrong"),
    ("output_warning_key", "said", "said"),
    ("diffuser_num_inference_steps", "20", 20),
    ("diffuser_guidance_scale", "2.5", 2.5),
    ("seed", "9007199254740991", 2**53 - 1),
    ("turns", "each", "each"),
    ("num_images", "3", 3),
    ("size", "1280x725", "1280x725"),
    ("multi_image", "stitch", "stitch"),
    ("keep_markup", "true", True),
    ("long_instruction", "error", "error"),
    ("lora", "owner/b:0.5, /a.safetensors", ("/a.safetensors:1", "owner/b:0.5")),
    ("demand_profile", "fast", "fast"),
    ("details", "true", True),
    ("image_format", "webp", "webp"),
    ("quality", "80", 80),
    ("metadata", "false", False),
    ("save_interval", "100", 100),
    ("priority", "9", 9),
    ("max_queued", "1000", 1000),
]


@pytest.mark.parametrize(("field", "text", "value"), READ, ids=[field for field, _, _ in READ])
def test_a_setting_is_read_from_its_variable(
    monkeypatch: pytest.MonkeyPatch, field: str, text: str, value: object
) -> None:
    """The field `x` has the value of the variable `FLEET_X`."""
    monkeypatch.setenv(f"FLEET_{field.upper()}", text)
    assert getattr(load_settings(), field) == value


def test_the_table_above_is_complete() -> None:
    """No setting is left out of the test before this one."""
    assert {field for field, _, _ in READ} == set(Settings.model_fields)


def test_an_empty_variable_is_no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that compose passes on empty leaves the default."""
    monkeypatch.setenv("FLEET_BATCH_SIZE", "")
    assert load_settings().batch_size == 4


def test_the_command_line_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """A given value wins over the variable, and None is not given."""
    monkeypatch.setenv("FLEET_SEED", "1")
    monkeypatch.setenv("FLEET_NUM_IMAGES", "2")
    settings = load_settings(seed=3, num_images=None)
    assert (settings.seed, settings.num_images) == (3, 2)


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("FLEET_BROKER_URL", "amqp://host"),
        ("FLEET_BROKER_URL", "redis://host:port/0"),  # the port is no number
        ("FLEET_BROKER_URL", "redis://:1234/x@host:6379/0"),  # a password with a slash: the host would be ":1234"
        ("FLEET_BROKER_URL", "redis://host/abc"),  # the database is no number
        ("FLEET_BROKER_URL", "redis://"),
        ("FLEET_DIFFUSER_MODEL_NAME", "sdxl"),
        ("FLEET_IMAGE_GEN_TASK", "inpaint"),
        ("FLEET_BATCH_SIZE", "four"),
        ("FLEET_BATCH_SIZE", "0"),
        ("FLEET_BATCH_WAIT", "-1"),
        ("FLEET_BATCH_WAIT", "nan"),
        ("FLEET_ROWS_IN_FLIGHT", "0"),
        ("FLEET_VISIBILITY_TIMEOUT", "3"),
        ("FLEET_DIFFUSER_NUM_INFERENCE_STEPS", "0"),
        ("FLEET_DIFFUSER_GUIDANCE_SCALE", "strong"),
        ("FLEET_SEED", "9007199254740992"),  # 2**53
        ("FLEET_NUM_IMAGES", "1.5"),
        ("FLEET_SIZE", "large"),
        ("FLEET_SAVE_INTERVAL", "0"),
        ("FLEET_MAX_QUEUED", "0"),
        ("FLEET_LORA", "style"),
        ("FLEET_LORA", "./a.ckpt"),
        ("FLEET_LORA", "o/a, o/a:2"),
        ("FLEET_PICTURES", "/data"),
        ("FLEET_PRIORITY", "10"),
        ("FLEET_PRIORITY", "high"),
    ],
)
def test_a_wrong_value_is_refused(monkeypatch: pytest.MonkeyPatch, variable: str, text: str) -> None:
    """A wrong value is refused in one sentence that begins with its variable."""
    monkeypatch.setenv(variable, text)
    with pytest.raises(SettingsError, match=rf"^{variable}\b[^\n]*\.$"):
        load_settings()


def test_a_secret_in_a_url_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where pictures are to go with keys in the URL, the error shows neither, not even in a traceback."""
    monkeypatch.setenv("FLEET_PICTURES", "s3://AKIA:geheim@bucket/x")
    with pytest.raises(SettingsError, match=r"^FLEET_PICTURES must be s3://") as refused:
        load_settings()
    assert "geheim" not in "".join(traceback.format_exception(refused.value))


def test_pictures_with_urls_have_no_relative_paths() -> None:
    """Images at an object store are named by their URLs, and nothing else is promised."""
    with pytest.raises(SettingsError, match=r"^FLEET_OUTPUT_PATHS: relative is nothing for images at an object store"):
        load_settings(pictures="s3://bucket/prefix", output_paths="relative")
    assert load_settings(pictures="s3://bucket/prefix", output_paths="absolute").pictures


def test_an_unknown_model_is_told_the_known_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever names an unknown model learns which there are."""
    monkeypatch.setenv("FLEET_DIFFUSER_MODEL_NAME", "sdxl")
    *others, last = listed()
    with pytest.raises(SettingsError, match=re.escape(f"there are {', '.join(others)} and {last} (found 'sdxl')")):
        load_settings()


def test_columns_must_differ() -> None:
    """An output column that is also an input column is refused before any work, and named."""
    with pytest.raises(
        SettingsError, match="FLEET_INPUT_IMAGE_KEY and FLEET_OUTPUT_IMAGE_KEY must differ, found images twice"
    ):
        load_settings(output_image_key="images")


@pytest.mark.parametrize("name", get_args(PresetName))
def test_a_preset_names_columns(name: str) -> None:
    """Each preset names the columns of its data set, and none of them twice."""
    settings = load_settings(preset=name)
    columns = {key: getattr(settings, key) for key in PRESETS[name]}
    assert columns == PRESETS[name]
    assert len(set(columns.values())) == len(columns)


def test_a_column_that_is_named_wins_over_its_preset(monkeypatch: pytest.MonkeyPatch) -> None:
    """An option or a variable for one column leaves the preset's others."""
    monkeypatch.setenv("FLEET_PRESET", "hqedit")
    monkeypatch.setenv("FLEET_OUTPUT_IMAGE_KEY", "made")
    settings = load_settings(input_image_key="picture")
    assert settings.input_image_key == "picture"
    assert (settings.input_conversation_key, settings.output_image_key) == ("edit", "made")
    assert settings.edit_key is None


def test_an_unknown_preset_is_told_the_known_ones() -> None:
    """Whoever misspells a preset learns which there are."""
    with pytest.raises(SettingsError, match=r"FLEET_PRESET: input should be 'dataflow', 'llava', .*'omniedit'"):
        load_settings(preset="lava")


@pytest.mark.parametrize("url", ["http://user:s3cret@host", "redis:/:s3cret@host", "s3cret", "x redis://:s3cret@host"])
def test_a_wrong_broker_url_keeps_its_password(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """The error about a wrong broker URL shows nothing of it, not even in a traceback."""
    monkeypatch.setenv("FLEET_BROKER_URL", url)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert "s3cret" not in "".join(traceback.format_exception(caught.value))


def test_settings_do_not_show_the_password() -> None:
    """Neither repr nor str of the settings holds the broker's password."""
    settings = load_settings(broker_url="redis://:s3cret@host")
    assert "s3cret" not in repr(settings) + str(settings)


@pytest.mark.parametrize(("model", "steps"), [("FLUX-Kontext", 28), ("demo", 8)])
def test_steps_and_guidance_are_the_models_own(model: str, steps: int) -> None:
    """Where the user names none, steps and guidance are the model's."""
    settings = load_settings(diffuser_model_name=model)
    assert (settings.steps, settings.guidance) == (steps, 3.5)


def test_steps_and_guidance_are_the_users() -> None:
    """A value of the user's wins, also a guidance of 0."""
    settings = load_settings(diffuser_num_inference_steps=1, diffuser_guidance_scale=0)
    assert (settings.steps, settings.guidance) == (1, 0)


@pytest.mark.parametrize(
    ("batch_size", "rows_in_flight", "expected"),
    [
        (1, None, 3),  # 6 × 0 + 1 waiting, 1 on the GPU, 1 being encoded
        (4, None, 27),  # 6 × 3 + 1 + 2 × 4
        (16, None, 123),  # 6 × 15 + 1 + 2 × 16
        (4, 5, 5),  # the user's own
    ],
)
def test_rows_in_flight_follow_from_the_batch(batch_size: int, rows_in_flight: int | None, expected: int) -> None:
    """A worker holds what keeps full batches ready with six shapes, one batch on the GPU, and one being encoded."""
    assert load_settings(batch_size=batch_size, rows_in_flight=rows_in_flight).in_flight == expected


@pytest.mark.parametrize("field", Settings.model_fields)
def test_every_setting_is_described(field: str) -> None:
    """Each setting says in a sentence what it is."""
    assert (Settings.model_fields[field].description or "").endswith(".")


@pytest.mark.parametrize(
    ("warm_up", "expected"),
    [
        ("", ["1024x1024"]),
        ("832x1248", ["832x1248"]),
        (" 1248x832 ,832x1248,", ["832x1248", "1248x832"]),
        ("all", [str(bucket) for bucket in KONTEXT_BUCKETS]),
        ("1024x1024,all", [str(bucket) for bucket in KONTEXT_BUCKETS]),
    ],
)
def test_resolutions_to_warm_up(monkeypatch: pytest.MonkeyPatch, warm_up: str, expected: list[str]) -> None:
    """They are named one by one or all at once; where none is named it is the square one."""
    monkeypatch.setenv("FLEET_WARM_UP", warm_up)
    assert [str(bucket) for bucket in load_settings().warm_buckets] == expected


@pytest.mark.parametrize(
    ("field", "given", "reason"),
    [
        ("input_root", "ftp://me:secret@host/in", r"FLEET_INPUT_ROOT: ftp://host/in is neither a folder nor at s3://"),
        ("input_root", "s3://me:a/secret@bucket/in", r"FLEET_INPUT_ROOT: s3://bucket/in has a user or a password in"),
        ("pictures", "s3://me:a/secret@bucket/in", r"FLEET_PICTURES must be s3://BUCKET/PREFIX, without a user"),
        ("allow_urls", "https://me:a/secret@a.example", r"FLEET_ALLOW_URLS: https://a\.example is no host"),
        ("allow_urls", "me:secret@a.example", r"FLEET_ALLOW_URLS: a\.example is no host"),
        ("output_root", "s3://", r"FLEET_OUTPUT_ROOT: s3:// names no object"),
        ("allow_urls", "https://a.example/", r"FLEET_ALLOW_URLS: https://a\.example/ is no host"),
        ("allow_urls", "*", r"FLEET_ALLOW_URLS: \* is no host"),
    ],
)
def test_a_wrong_place_is_refused(field: str, given: str, reason: str) -> None:
    """A root of another kind, one without a bucket, and a host that is none or all; no password is shown."""
    with pytest.raises(SettingsError, match=reason) as refused:
        load_settings(**{field: given})
    assert "secret" not in str(refused.value)
