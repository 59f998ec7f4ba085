"""Refuses documents in which a type is nested inside itself too often: cards, their attempts, their cards, and so on.

Each repetition multiplies the size of the response by the length of a list. The limit of depth alone would allow seven
repetitions.
"""

from __future__ import annotations

from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValidationRule,
    get_named_type,
)

__all__ = ["MAX_REPEATS", "NoRecursiveTypes"]

#: Most occurrences of a type on one path, including the outermost.
MAX_REPEATS = 2


class NoRecursiveTypes(ValidationRule):
    """A validation rule. `document_size` has limited the document, with its fragments, before this rule runs."""

    def enter_operation_definition(self, node: OperationDefinitionNode, *_: Any) -> None:
        """Check every path of an operation."""
        self._walk(node.selection_set, self.context.schema.get_root_type(node.operation), (), frozenset())

    def _walk(
        self,
        selections: SelectionSetNode,
        parent: GraphQLNamedType | None,
        path: tuple[str, ...],
        inside: frozenset[str],
    ) -> None:
        for selection in selections.selections:
            if isinstance(selection, FieldNode):
                self._enter(selection, parent, path, inside)
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                narrowed = self.context.schema.get_type(condition.name.value) if condition else parent
                self._walk(selection.selection_set, narrowed, path, inside)
            elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in inside:
                fragment = self.context.get_fragment(selection.name.value)
                if fragment is not None:
                    narrowed = self.context.schema.get_type(fragment.type_condition.name.value)
                    self._walk(fragment.selection_set, narrowed, path, inside | {selection.name.value})

    def _enter(
        self, selection: FieldNode, parent: GraphQLNamedType | None, path: tuple[str, ...], inside: frozenset[str]
    ) -> None:
        fields = parent.fields if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType) else {}
        found = fields.get(selection.name.value)
        if found is None or selection.selection_set is None:
            return  # introspection, or an unknown field, which another rule reports
        kind = get_named_type(found.type)
        if path.count(kind.name) >= MAX_REPEATS:
            message = f"expected {kind.name} at most {MAX_REPEATS} times inside itself, got it once more"
            self.report_error(GraphQLError(message, selection))
            return
        self._walk(selection.selection_set, kind, (*path, kind.name), inside)
