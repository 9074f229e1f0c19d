"""Whether rows could be edited, as far as that is known beforehand: DataFlow's operator hides what is raised later."""

from collections.abc import Callable

from producer.doctor.finding import Verdict
from producer.doctor.weights import look_at_weights
from producer.local.interpreter import require_worker_extra
from producer.local.redis import redis_server
from producer.run.preconditions import require_broker
from worker.contract.errors import SettingsError
from worker.settings.fleet import Settings


def require_ready(settings: Settings, say: Callable[[str], None]) -> None:
    """Make sure of it: that a fleet's broker can be worked with, or that workers could be started on this machine.

    Raises:
        RunError: there is no broker that can be worked with, or what Redis and workers need is not installed.
        SettingsError: the weights are not there, are damaged, or the hub does not give them; or pictures would not lie
            in the serving's folder.

    """
    if settings.pictures is not None:  # the operators hand on paths, and steps are told apart by what is in the folder
        raise SettingsError(
            "FLEET_PICTURES: pictures of a serving lie in the save_path of its image_io; unset the variable."
        )
    if settings.broker_url is not None:
        require_broker(settings, say)
        return
    redis_server()
    require_worker_extra(settings)
    for finding in look_at_weights(settings):
        if finding.verdict is Verdict.BROKEN:
            remedy = f"; {finding.remedy}" if finding.remedy else ""
            raise SettingsError(f"hf_model_name_or_path: {finding.found}{remedy}.")
