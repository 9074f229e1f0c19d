"""A row's message is what Celery and kombu would have written, less what nobody reads."""

import json
from typing import Any

import pytest
from celery import Celery
from celery.worker.request import Request
from kombu import Connection
from kombu.transport.virtual import Message

from worker.contract.envelope import Envelope, argument_of
from worker.contract.messages import TASK_NAME

QUEUE = "fleet.v8.demo.2a97516c.0123456789abcdef"
TASK = "0123456789abcdef.7.9f3a1b2c"
ARGUMENT = {"prompt": '"把花瓶"\n变成 \\ 🙂', "images": ["a.png"]}
SHOWN = "(image='/data/ü.png', row=7)"


@pytest.fixture(scope="module")
def app() -> Celery:
    """Have an app with the task, and no broker."""
    app = Celery("test", broker="memory://", set_as_current=False)

    @app.task(name=TASK_NAME, shared=False)
    def edit(argument: object) -> object:
        return argument

    return app


def message() -> dict[str, Any]:
    """Return the message, as whoever reads it from Redis does."""
    read: dict[str, Any] = json.loads(Envelope(QUEUE).message(TASK, ARGUMENT, SHOWN))
    return read


def test_celery_reads_a_task(app: Celery) -> None:
    """Its id, argument, and what Flower shows; nothing makes it late, limited or answered."""
    with Connection("memory://") as connection:
        received = Message(message(), channel=connection.default_channel)
        request = Request(received, app=app, task=app.tasks[TASK_NAME], headers=received.headers)
    assert (request.id, request.name, request.args, request.kwargs) == (TASK, TASK_NAME, [ARGUMENT], {})
    assert (request.argsrepr, request.kwargsrepr) == (SHOWN, "{}")
    assert (request.eta, request.expires, request.time_limits, request.reply_to) == (None, None, (None, None), None)
    assert request.delivery_info == {"exchange": "", "routing_key": QUEUE, "priority": 0, "redelivered": False}
    assert (request.chord, request.errbacks, request.group) == (None, None, None)


def test_what_is_there_is_as_celery_has_it(app: Celery) -> None:
    """Every header is one of Celery's own, with the value that it would have."""
    theirs = app.amqp.as_task_v2(TASK, TASK_NAME, (ARGUMENT,), {}, argsrepr=SHOWN)
    assert message()["headers"].items() <= theirs.headers.items()
    args, kwargs, _ = theirs.body
    assert json.loads(message()["body"]) == [[*args], kwargs, {}]


def test_its_argument_is_read_again() -> None:
    """By whoever looks at what workers hold."""
    assert argument_of(message()) == ARGUMENT


@pytest.mark.parametrize("wrong", [{"body": "[]"}, {"body": "[[1], {}]"}, {"body": None}, {"properties": {}}])
def test_another_message_has_no_argument(wrong: dict[str, Any]) -> None:
    """Whoever can write to Redis can put anything there."""
    with pytest.raises((ValueError, LookupError, TypeError)):
        argument_of({**message(), **wrong})


def test_no_two_messages_are_the_same() -> None:
    """Also of one task: while workers hold them, they are known by their tags."""
    tags = {message()["properties"]["delivery_tag"] for _ in range(100)}
    assert len(tags) == 100
    assert {len(tag) for tag in tags} == {16}


def test_text_is_written_as_it_is() -> None:
    """A character that is not ASCII takes its own bytes, in an instruction and in what is shown."""
    plain, chinese = (Envelope(QUEUE).message(TASK, {"prompt": text}, text) for text in ("x" * 100, "花" * 100))
    assert len(chinese.encode()) - len(plain.encode()) == 2 * 2 * 100
