"""Base classes of all domain events."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from realtime.kanban.ids import BoardId, Id

__all__ = ["WHEN", "DomainEvent", "EventPart", "OfAttempt", "OfBoard", "OfProject", "OfProjectAttempt"]

#: Description of the time in an event.
WHEN = "When it happened: RFC 3339 with an offset; clients get it in UTC with milliseconds."

_TYPE = {"type"}


class EventPart(BaseModel):
    """Any object in a payload; fields that this version does not know are kept."""

    model_config = ConfigDict(frozen=True, alias_generator=to_camel, populate_by_name=True, extra="allow")


class DomainEvent(EventPart):
    """A fact. `type` holds the dotted name; the other fields are the payload."""

    #: Name of the attribute with the board that this event belongs to; None for a global event.
    board_field: ClassVar[str | None] = None
    #: The dotted name; each event narrows the type to its literal.
    type: str

    @property
    def board_id(self) -> BoardId | None:
        """The board whose log has this event; None for a global event."""
        board_id: BoardId | None = getattr(self, self.board_field) if self.board_field else None
        return board_id

    def payload(self, *without: str) -> dict[str, Any]:
        """Return the payload as it is sent: the given fields in wire names, except the attributes in `without`."""
        return self.model_dump(by_alias=True, exclude={*_TYPE, *without}, exclude_unset=True)

    def payload_json(self) -> str:
        """Return `payload` as JSON, at a third of its cost."""
        # `model_dump_json` calls this too, but handling its dozen arguments is a third of its cost.
        json = self.__pydantic_serializer__.to_json(self, by_alias=True, exclude=_TYPE, exclude_unset=True)
        return json.decode()


class OfBoard(DomainEvent):
    """An event of the board `boardId`."""

    board_field: ClassVar[str | None] = "board_id_"
    board_id_: Id = Field(alias="boardId", description="Id of the board.")

    # Defined again because it is called several times for every line of a log.
    @property
    def board_id(self) -> BoardId:
        """The board whose log has this event."""
        return self.board_id_  # type: ignore[return-value]  # a new type costs a call


class OfProject(DomainEvent):
    """An event of the board `projectId`."""

    board_field: ClassVar[str | None] = "project_id"
    project_id: Id = Field(description="Id of the project and of its board.")


class OfAttempt(OfBoard):
    """An event of an attempt on the board `boardId`."""

    attempt_id: Id = Field(description="Id of the attempt.")


class OfProjectAttempt(OfProject):
    """An event of the board `projectId`, and possibly of one of its attempts."""

    attempt_id: Id | None = Field(default=None, description="Id of the attempt it belongs to, if any.")
