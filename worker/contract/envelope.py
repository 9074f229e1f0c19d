"""A task's message as Redis holds it: Celery's protocol 2 in the form of kombu's transport, without what nobody reads.

Celery writes 1.1 kB beside a row's own bytes, among them what Flower shows twice, and the body in base64. What is left
out here is null, zero or empty in every row, and counts as that where it is absent:
https://docs.celeryq.dev/en/stable/internals/protocol.html
"""

import json
from secrets import token_urlsafe
from typing import Any, Final

from worker.contract.messages import TASK_NAME

#: Random bytes by which a message is known while a worker holds it.
_TAG: Final = 12

#: As text: what is not ASCII takes a third of the bytes.
_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Envelope:
    """Makes the messages of one queue; what they have in common is written once."""

    def __init__(self, queue: str) -> None:
        self._queue = _encode(queue)

    def message(self, task: str, argument: object, shown: str) -> str:
        """Return the message of a task that has one argument, no other than any that was made before.

        `task`: the task's id. `shown`: what Flower and logs show in the place of its argument.
        """
        # No callbacks, chain or chord: an empty object says it.
        body = _encode(f"[[{_encode(argument)}],{{}},{{}}]")
        return (
            f'{{"body":{body},"content-encoding":"utf-8","content-type":"application/json","headers":{{"lang":"py",'
            f'"task":"{TASK_NAME}","id":{_encode(task)},"argsrepr":{_encode(shown)},"kwargsrepr":"{{}}"}},"properties":'
            f'{{"delivery_info":{{"exchange":"","routing_key":{self._queue}}},"priority":0,"body_encoding":"utf-8",'
            f'"delivery_tag":"{token_urlsafe(_TAG)}"}}}}'
        )


def argument_of(message: dict[str, Any]) -> object:
    """Return the only argument of such a message.

    Raises:
        ValueError, LookupError, TypeError: it is none.

    """
    if message["properties"]["body_encoding"] != "utf-8":
        raise ValueError("it is in another encoding")
    (argument,), _, _ = json.loads(message["body"])
    found: object = argument
    return found
