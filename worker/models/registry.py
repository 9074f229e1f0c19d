"""Which family a setting names, loaded. Imported only by the step that loads a model: all of it needs torch."""

from worker.models.demo import CHECKPOINT
from worker.models.flux.kontext import Kontext
from worker.models.protocol import EditModel
from worker.models.speed.capabilities import machine_of
from worker.models.speed.device import choose_device
from worker.models.speed.requirements import require
from worker.models.weights.fetching import fetch_weights
from worker.settings.fleet import Settings


def load_model(settings: Settings) -> EditModel:
    """Load the model that the settings name onto this machine's device.

    Raises:
        ModelError: weights are missing, gated or of another architecture, or this machine cannot carry them or cannot
            calculate as the profile says.

    """
    device = choose_device(settings.spec)
    profile = settings.profile_on(gpu=device.type == "cuda")
    require(profile, machine_of(device))  # before a download
    folder = CHECKPOINT if settings.diffuser_model_name == "demo" else fetch_weights(settings)
    return Kontext.load(
        folder,
        profile,
        device=device,
        compile_cache=settings.compile_cache,
        prompt_cache=settings.prompt_cache * 2**20,
    )
