"""A worker's start without compiled kernels, and its second one with them."""

from tests.bench.starting import start
from tests.gpu.notes import Notes, logs_kept
from tests.gpu.scene import Scene
from tests.support.servers import running_redis
from tests.support.workers import StartWorker, start_worker


def measure(scene: Scene, notes: Notes, begin: StartWorker = start_worker) -> None:
    """Start twice, for calls of one picture at the square resolution; weights are random, and drawn on the device."""
    (profile,) = scene.profiles(notes, "exact")
    more = {} if scene.compiled else {"compile": False}
    table, said = None, list[str]()
    with running_redis() as server, logs_kept(scene.folder, notes.name) as folder:
        for which in ("cold", "warm"):
            found = start(
                server.url,
                folder,
                profile,
                which,
                begin=begin,
                app="tests.support.random_weights",
                diffuser_model_name=scene.either("FLUX-Kontext", "demo"),
                batch_size=1,
                **more,
            )
            table = table or notes.table("Seconds of a start:", ["start", *found])
            table.row(which, *(f"{seconds:.1f}" for seconds in found.values()))
            said.append(f"{which} {found['all, from the command on']:.0f} s")
            notes.headline(", ".join(said))
