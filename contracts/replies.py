"""The replies that every owner sends to commands."""

from typing import Literal

from contracts.message import Reply

RejectionKind = Literal["not_found", "conflict", "invalid"]


class CommandAccepted(Reply, name="realtoros.CommandAccepted.v1"):
    """The command is stored; a view that has reached `version` of `about` shows it."""

    about: str
    version: int

    @property
    def stream(self) -> str:
        return self.about


class CommandRejected(Reply, name="realtoros.CommandRejected.v1"):
    """The command changed nothing; `reason` says why, `field` names the part that is wrong."""

    about: str
    kind: RejectionKind
    reason: str
    field: str | None = None

    @property
    def stream(self) -> str:
        return self.about
