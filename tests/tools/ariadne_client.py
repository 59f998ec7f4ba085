"""The client that ariadne-codegen makes of the committed operations, at work: commands, pages, and a subscription."""

import asyncio
import json
import sys
from contextlib import aclosing
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path.cwd()))
made: Any = import_module("boardcast_client")


async def main(url: str, board_id: str, column_id: str) -> None:
    """Print what the server answered, as JSON."""
    client = made.Client(url=url, ws_url=url.replace("http", "ws", 1))
    given = made.CreateCardInput(columnId=column_id, title="By ariadne", ticketType=made.TicketType.FIX)
    answer = await client.create_card(board_id=board_id, input=given)
    project = (await client.projects(first=1)).projects.nodes[0]
    async with aclosing(client.board_state(board_id=board_id)) as states:
        titles = [card.title for card in (await anext(states)).board_state.columns[0].cards]
    answers = {
        "card": answer.create_card.card.title,
        "made": answer.create_card.card.created_at.tzname(),
        "status": project.status.value,
        "titles": titles,
    }
    print(json.dumps(answers))


asyncio.run(main(*sys.argv[1:]))
