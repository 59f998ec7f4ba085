"""Plans: the selection of a subscription is compiled once, when the subscription begins, and not for each event.

`compiling` compiles an operation to a plan: closures that read our objects into plain values, which one call encodes.
Each card is encoded once for each selection (`memory`), so after a change of one card, a state costs one card. A plan
covers only events without errors and without waiting. graphql-core executes everything else, including every error: the
whole operation if the need shows at its beginning, or else a single event. The events do not change, so graphql-core
reads the same values again.

See docs/graphql.md, "Subscriptions".
"""
