"""Builds the schema: roots, scalars, limits, the executor, and the errors that clients see."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from functools import partial
from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.extensions import AddValidationRules
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext, ExecutionResult
from strawberry.types.base import StrawberryObjectDefinition
from strawberry.types.field import StrawberryField

from schema.execution.context import Context
from schema.execution.errors import public_error
from schema.execution.executor import BoundedExecutor
from schema.execution.running import run
from schema.mutations import Mutation
from schema.queries import Query
from schema.subscriptions import Subscription
from schema.types.scalars import SCALARS
from schema.validation.document_cache import ParsedOnce, ValidatedOnce, documents
from schema.validation.list_sizes import LIST_SIZES, ListSize
from schema.validation.operation_choice import OperationChoice
from schema.validation.recursive_types import NoRecursiveTypes

__all__ = ["make_schema"]


class _Schema(strawberry.Schema):
    """A schema whose results contain only errors that clients may see."""

    def get_fields(self, type_definition: StrawberryObjectDefinition) -> list[StrawberryField]:
        """Return the fields of a type, lists with `@listSize`; Strawberry calls this before it builds the type."""
        fields = super().get_fields(type_definition)
        for one in fields:
            size = LIST_SIZES.get(f"{type_definition.name}.{self.config.name_converter.get_graphql_name(one)}")
            # Inherited fields are one object for several types, and all schemas of a process share it: add the size
            # once.
            if size is not None and not any(isinstance(given, ListSize) for given in one.directives):
                one.directives = [*one.directives, size]
        return fields

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        """Replace `errors` in place.

        Strawberry calls this for each result of every kind of operation, before any other code sees it. Strawberry's
        `MaskErrors` runs too late to log the original error, and not at all when an operation fails before it begins.
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
        """Return the results of an operation; `schema.execution.running` reads the source of a subscription."""
        if refused := await self._unreadable(query):
            return _only(refused)
        begun = await super().stream(query, variable_values, context_value, *arguments, **named)
        return run(self, begun, context_value) if isinstance(context_value, Context) else begun

    async def execute(self, query: str | None, *arguments: Any, **named: Any) -> ExecutionResult:
        """Return the result of a query or mutation."""
        return await self._unreadable(query) or await super().execute(query, *arguments, **named)

    async def _unreadable(self, query: str | None) -> ExecutionResult | None:
        # Strawberry has no hook for a parser that refuses a document: an error in a hook counts as a fault of the
        # server.
        try:
            if query:
                await documents().parsed(query)
        except GraphQLError as error:
            errors = [error]
            self.process_errors(errors)
            return ExecutionResult(data=None, errors=errors)
        return None


async def _only(result: ExecutionResult) -> AsyncGenerator[ExecutionResult, None]:
    yield result


def make_schema() -> strawberry.Schema:
    """Return the schema; operations need a `schema.execution.context.Context`."""
    return _Schema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        extensions=[partial(AddValidationRules, [NoRecursiveTypes]), ParsedOnce, ValidatedOnce, OperationChoice],
        execution_context_class=BoundedExecutor,
        config=StrawberryConfig(scalar_map=SCALARS),
    )
