"""Puts the schema together: roots, scalars, limits, the executor, and what clients see of errors."""

from __future__ import annotations

from functools import partial
from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.extensions import AddValidationRules, MaxAliasesLimiter, MaxTokensLimiter, QueryDepthLimiter
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from schema.circles import NoCircles
from schema.context import Context
from schema.document_cache import ParsedOnce, ValidatedOnce
from schema.errors import public_error
from schema.executor import BoundedExecutor
from schema.mutations import Mutation
from schema.operation_choice import OperationChoice
from schema.queries import Query
from schema.running import run
from schema.scalars import SCALARS
from schema.subscriptions import Subscription

__all__ = ["make_schema"]

#: Deepest nesting of fields that have fields; introspection is not counted.
MAX_DEPTH = 15
#: Most aliases in a document, fragments counted at each use.
MAX_ALIASES = 50
#: Most lexical tokens in a document.
MAX_TOKENS = 5000


class _Schema(strawberry.Schema):
    """A schema whose results hold only what clients may see of errors."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Replace `errors` in place.

        Strawberry calls this for each result of every kind of operation, before anyone else has it. Its
        `MaskErrors` comes too late to log the original, and not at all when an operation fails before it began.
        """
        errors[:] = [public_error(error) for error in errors]

    async def stream(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any | None = None,
        *arguments: Any,
        **named: Any,
    ) -> Any:
        """Return the results of an operation; what subscriptions begin goes on in `schema.running`."""
        begun = await super().stream(query, variable_values, context_value, *arguments, **named)
        return run(self, begun, context_value) if isinstance(context_value, Context) else begun


def make_schema() -> strawberry.Schema:
    """Return the schema; operations need a `schema.context.Context`."""
    # The limiters make a new rule class whenever they are made, so their rules are taken from one of each: a class
    # per open subscription would be most of its memory.
    limiters: list[AddValidationRules] = [QueryDepthLimiter(MAX_DEPTH), MaxAliasesLimiter(MAX_ALIASES)]
    rules = [rule for limiter in limiters for rule in limiter.validation_rules]
    return _Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        extensions=[
            partial(AddValidationRules, [NoCircles, *rules]),
            partial(MaxTokensLimiter, MAX_TOKENS),
            ParsedOnce,
            ValidatedOnce,
            OperationChoice,
        ],
        execution_context_class=BoundedExecutor,
        config=StrawberryConfig(scalar_map=SCALARS),
    )
