"""The refusals of mutations: one result type for each reason, instead of an error.

| reason (`code`, in capitals) | type |
| --- | --- |
| `board_not_found` `project_not_found` `column_not_found` `card_not_found` `attempt_not_found` | `BoardNotFound`, … |
| `access_token_not_found` | `AccessTokenNotFound` |
| `card_is_done` `card_blocked` `attempt_active` `attempt_not_running` | `CardIsDone`, … |
| `invalid_payload` | `InvalidInput` |
| `dependency_cycle` `dependency_board_mismatch` | `DependencyCycle`, `DependencyMismatch` |
| `idempotency_key_reused` | `IdempotencyKeyReused` |

A test compares the codes with the source of `realtime`. Faults (of the store or of the server) stay errors.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, Self

import strawberry
from strawberry.extensions import FieldExtension
from strawberry.extensions.field_extension import AsyncExtensionResolver
from strawberry.types.field import StrawberryField

from realtime import errors
from realtime.service.access_log import note_refusal

__all__ = [
    "REFUSALS",
    "AccessTokenNotFound",
    "AttemptActive",
    "AttemptNotFound",
    "AttemptNotRunning",
    "BoardNotFound",
    "CardBlocked",
    "CardIsDone",
    "CardNotFound",
    "ColumnNotFound",
    "DependencyCycle",
    "DependencyMismatch",
    "FieldError",
    "IdempotencyKeyReused",
    "InvalidInput",
    "ProjectNotFound",
    "Refusal",
    "RefusalCode",
    "refusable",
    "refusal_of",
]

_value = strawberry.enum_value


@strawberry.enum(description="The reason of a refusal; each type of refusal has its own code.")
class RefusalCode(Enum):
    """The codes of `realtime` that a mutation can return; the raw exits show them in lower case."""

    BOARD_NOT_FOUND = _value("board_not_found", description="There is no such board.")
    PROJECT_NOT_FOUND = _value("project_not_found", description="There is no such project.")
    COLUMN_NOT_FOUND = _value("column_not_found", description="The board has no such column.")
    CARD_NOT_FOUND = _value("card_not_found", description="The board has no such card.")
    ATTEMPT_NOT_FOUND = _value("attempt_not_found", description="There is no such attempt.")
    ACCESS_TOKEN_NOT_FOUND = _value("access_token_not_found", description="There is no such access token.")
    CARD_IS_DONE = _value("card_is_done", description="The card is in Done and stays there.")
    CARD_BLOCKED = _value("card_blocked", description="The card waits for others.")
    ATTEMPT_ACTIVE = _value("attempt_active", description="The card has an active attempt.")
    ATTEMPT_NOT_RUNNING = _value(
        "attempt_not_running", description="The attempt has ended, or is being stopped already."
    )
    INVALID_PAYLOAD = _value("invalid_payload", description="Fields of the input do not fit.")
    DEPENDENCY_CYCLE = _value("dependency_cycle", description="A card would wait for itself.")
    DEPENDENCY_BOARD_MISMATCH = _value(
        "dependency_board_mismatch", description="A card would depend on a card of another board."
    )
    IDEMPOTENCY_KEY_REUSED = _value(
        "idempotency_key_reused", description="Another request has used this idempotency key."
    )


@strawberry.interface(
    description="An expected outcome: nothing was changed, for the given reason. Faults of the server are errors."
)
class Refusal:
    """Fields of all refusals."""

    code: RefusalCode = strawberry.field(description="The reason, for programs.")
    message: str = strawberry.field(description="The reason in one English sentence, for people.")

    @classmethod
    def of(cls, refused: Any) -> Self:
        """Return the answer for a refusal of `realtime`; its code must belong to this type."""
        return cls(code=RefusalCode(refused.code), message=refused.message)


@strawberry.type(description="There is no board of that id.")
class BoardNotFound(Refusal):
    """`board_not_found`."""


@strawberry.type(description="There is no project of that id.")
class ProjectNotFound(Refusal):
    """`project_not_found`."""


@strawberry.type(description="The board has no column with this id; another board may have one.")
class ColumnNotFound(Refusal):
    """`column_not_found`."""


@strawberry.type(description="The board has no card with this id; another board may have one.")
class CardNotFound(Refusal):
    """`card_not_found`."""


@strawberry.type(description="There is no attempt of that id.")
class AttemptNotFound(Refusal):
    """`attempt_not_found`."""


@strawberry.type(description="There is no access token of that id; it may have been revoked.")
class AccessTokenNotFound(Refusal):
    """`access_token_not_found`."""


@strawberry.type(description="The card is in Done: it cannot move or get a new attempt.")
class CardIsDone(Refusal):
    """`card_is_done`."""


@strawberry.type(description="The card depends on cards outside Done: it cannot move to In Progress or get an attempt.")
class CardBlocked(Refusal):
    """`card_blocked`."""

    waits_for: list[strawberry.ID] = strawberry.field(description="The cards it depends on that are not in Done yet.")

    @classmethod
    def of(cls, refused: errors.CardBlocked) -> Self:
        """Return the answer, with the ids of the cards that are not in Done."""
        waits_for = [strawberry.ID(card_id) for card_id in refused.waits_for]
        return cls(code=RefusalCode(refused.code), message=refused.message, waits_for=waits_for)


@strawberry.type(description="The card has an active attempt; stop it first, or wait.")
class AttemptActive(Refusal):
    """`attempt_active`."""


@strawberry.type(description="The attempt has ended, or was stopped and its runner has not ended yet.")
class AttemptNotRunning(Refusal):
    """`attempt_not_running`."""


@strawberry.type(description="One field that does not fit.")
class FieldError:
    """The fields are read from `errors.FieldError`."""

    field: str = strawberry.field(
        description="A dotted path into the input, with list positions as numbers from 0; empty = the whole input."
    )
    message: str = strawberry.field(description="What was expected and what came, in English.")


@strawberry.type
class _OfFields(Refusal):
    """Fields of all refusals of fields; no type of the schema."""

    field: str | None = strawberry.field(description="Path of the first invalid field; null = the input as a whole.")
    fields: list[errors.FieldError] = strawberry.field(
        graphql_type=list[FieldError], description="Every invalid field, at least one."
    )

    @classmethod
    def of(cls, refused: errors.InvalidInput) -> Self:
        """Return the answer, with each invalid field."""
        first = refused.fields[0].field if refused.fields else None
        return cls(
            code=RefusalCode(refused.code), message=refused.message, field=first or None, fields=list(refused.fields)
        )


@strawberry.type(description="One or more fields of the input are invalid; nothing was changed.")
class InvalidInput(_OfFields):
    """`invalid_payload`."""


@strawberry.type(description="The card would depend on itself, directly or through other cards.")
class DependencyCycle(_OfFields):
    """`dependency_cycle`."""


@strawberry.type(description="The card would depend on a card of another board.")
class DependencyMismatch(_OfFields):
    """`dependency_board_mismatch`."""


@strawberry.type(description="Another request of this caller has used this idempotency key, or the `id` of this event.")
class IdempotencyKeyReused(Refusal):
    """`idempotency_key_reused`."""


#: Code of a refusal → type of the answer.
REFUSALS: dict[str, type[Refusal]] = {
    "board_not_found": BoardNotFound,
    "project_not_found": ProjectNotFound,
    "column_not_found": ColumnNotFound,
    "card_not_found": CardNotFound,
    "attempt_not_found": AttemptNotFound,
    "access_token_not_found": AccessTokenNotFound,
    "card_is_done": CardIsDone,
    "card_blocked": CardBlocked,
    "attempt_active": AttemptActive,
    "attempt_not_running": AttemptNotRunning,
    "invalid_payload": InvalidInput,
    "dependency_cycle": DependencyCycle,
    "dependency_board_mismatch": DependencyMismatch,
    "idempotency_key_reused": IdempotencyKeyReused,
}


def refusal_of(refused: errors.Refused) -> Refusal | None:
    """Return the answer for a refusal of `realtime`; None = its code has no type."""
    kind = REFUSALS.get(refused.code)
    return None if kind is None else kind.of(refused)


def refusable(description: str, result: object) -> Callable[[Callable[..., Any]], StrawberryField]:
    """Make a mutation from a function that returns a member of the union `result` or raises `errors.Refused`."""
    decorator: Callable[[Callable[..., Any]], StrawberryField] = strawberry.mutation(
        description=description, graphql_type=result, extensions=[_Refusing()]
    )
    return decorator


class _Refusing(FieldExtension):
    """Returns a refusal as the result of a mutation (Strawberry's hook around a resolver)."""

    async def resolve_async(
        self, next_: AsyncExtensionResolver, source: Any, info: strawberry.Info, **arguments: Any
    ) -> Any:
        """Return what the resolver returns, or the refusal that it raised as a member of the result's union.

        Raises:
            Refused: its code has no type; `schema.execution.errors` makes an error of it.
        """
        try:
            return await next_(source, info, **arguments)
        except errors.Refused as refused:
            answer = refusal_of(refused)
            if answer is None:
                raise
            note_refusal(refused)
            return answer
