"""A real worker with Redis, PNG and disk, against a bare loop of the same model: what the fleet adds."""

from tests.bench.real_fleet import Work, bare, fleet
from tests.gpu.notes import Notes, logs_kept
from tests.gpu.scene import Scene
from tests.support.workers import StartWorker, start_worker
from worker.settings.fleet import load_settings


def measure(scene: Scene, notes: Notes, start: StartWorker = start_worker) -> None:
    """Measure both, the worker first: its process, and what it holds of the GPU, has ended when the loop begins.

    Calls of one picture, and few steps: so all that is not the model weighs most.
    """
    work = scene.either(Work(rows=1, batches=12, steps=8), Work(rows=1, batches=3, steps=1))
    (profile,) = scene.profiles(notes, scene.either("exact", "reference"))
    settings = load_settings(
        diffuser_model_name=scene.either("FLUX-Kontext", "demo"),
        profile=profile,
        compile=None if scene.compiled else False,
        compile_cache=scene.kernels,
        batch_size=work.rows,
    )
    with logs_kept(scene.folder, notes.name) as folder:
        seconds, busy = fleet(settings, work, folder, start)
        notes.text(
            f"{work.batches} calls of {work.rows} picture at {settings.spec.square}, {work.steps} steps, {profile}:"
        )
        notes.fact("fleet, s per call", f"{seconds:.4f}")
        notes.fact("a call was on the device, % of the time", f"{100 * busy:.2f}")
        notes.headline(f"busy {100 * busy:.1f} %")
    loop = bare(settings, work)
    notes.fact("bare loop, s per call", f"{loop:.4f}")
    notes.fact("the fleet adds, %", f"{100 * (seconds / loop - 1):.2f}")
    notes.headline(f"the fleet adds {100 * (seconds / loop - 1):.2f} %, busy {100 * busy:.1f} %")
