"""The base classes of all messages, and the types of their fields."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Self
from uuid import UUID

from pydantic import MISSING, AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer


def to_milliseconds(time: datetime) -> datetime:
    """Return `time` in UTC and whole milliseconds, the precision that MongoDB stores.

    Raises ValueError when it is outside the years 1 to 9999 in UTC.
    """
    if time.tzinfo is UTC and time.microsecond % 1000 == 0:
        return time
    try:
        time = time.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is outside the years 1 to 9999 in UTC") from error
    return time.replace(microsecond=time.microsecond // 1000 * 1000)


def rfc3339(time: datetime) -> str:
    """Write `time` as RFC 3339, UTC, with milliseconds: `2026-01-31T09:30:00.000Z`."""
    # A request for a list formats dozens of times, all of them in UTC already.
    if time.tzinfo is not UTC:
        time = time.astimezone(UTC)
    return time.isoformat(timespec="milliseconds")[: -len("+00:00")] + "Z"


Time = Annotated[
    datetime,
    AfterValidator(to_milliseconds),
    PlainSerializer(rfc3339, return_type=str, when_used="json"),
]


# mypy cannot use pydantic's MISSING as a type: for mypy alone, it is an enum of one value.
if TYPE_CHECKING:
    from enum import Enum

    class Unset(Enum):
        """The value of a patch's field that is absent (RFC 7396). Never written, never read."""

        UNSET = "unset"

    UNSET: Final = Unset.UNSET
else:
    Unset = UNSET = MISSING


def unset(published: Any) -> Any:
    """Return a patch's field that is `Unset` unless it is set.

    `published` is the default in the released JSON Schemas, which have to stay; nothing applies it.
    """
    return Field(default=UNSET, json_schema_extra={"default": published})


def added(**constraints: Any) -> Any:
    """Return an optional field that a released contract has gained.

    While it is None it is neither written nor stored: what came before the field stays as it was.
    """
    return Field(default=None, exclude_if=lambda value: value is None, **constraints)


class Contract(BaseModel):
    """A part of a message. Immutable; fields that a newer writer added are ignored.

    Its errors do not quote the input: it may be personal, and errors are logged.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Message(Contract):
    """Base of all messages on Kafka. `wire_name` is the CloudEvents `type`, fixed forever.

    Personal data (names, addresses, texts) stands under the field `personal` and nowhere else.
    """

    wire_name: ClassVar[str] = ""

    agent_id: UUID

    def __init_subclass__(cls, *, name: str = "", **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.wire_name = name

    @property
    def stream(self) -> str:
        """The aggregate that the message is about, as `kind-uuid`: the CloudEvents `subject`."""
        raise TypeError(f"{type(self).__name__} is about no stream")

    @property
    def key(self) -> UUID:
        """The Kafka key. Messages with the same key are read in the order they were written."""
        raise TypeError(f"{type(self).__name__} has no key")


class Event(Message):
    """Something that has happened, published by the one service that owns the stream."""

    def to_json(self) -> str:
        """Write the value of the Kafka record, with every field."""
        return self.model_dump_json()


class Command(Message):
    """An order to the owner of a stream, which answers on the topic `replies`.

    `if_version`: carry it out only if the stream is at this version (0: if there is none);
    otherwise it is rejected, kind `conflict`, field `if_version`.
    """

    if_version: int | None = None

    def to_json(self) -> str:
        """Write the value of the Kafka record; unset fields stay absent (RFC 7396)."""
        return self.model_dump_json(exclude_unset=True)


class Reply(Message):
    """The owner's answer to a command; it carries the command's correlation id."""

    def to_json(self) -> str:
        """Write the value of the Kafka record."""
        return self.model_dump_json()


class AboutClient(Message):
    """Mixed into messages whose key is a client's id."""

    client_id: UUID

    @property
    def key(self) -> UUID:
        """The client's id: all messages about one client keep their order."""
        return self.client_id

    @classmethod
    def of(cls, other: "AboutClient", **fields: Any) -> Self:
        """Make a message about the same client as `other`, with the fields they share copied."""
        shared = cls.model_fields.keys() & type(other).model_fields.keys()
        return cls(**{name: getattr(other, name) for name in shared} | fields)
