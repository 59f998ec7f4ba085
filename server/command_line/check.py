"""`boardcast check`: looks at everything that a server needs before it can start, and says each thing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from realtime.errors import BrokerUnavailable, BrokerUnusable, StoreUnusable
from schema.root import make_schema
from schema.trusted_documents import BadDocument
from schema.validation.document_cache import check_documents
from server.access.jwt_keys import BadKey
from server.access.key_sources import open_keys
from server.command_line.failing import CommandFailed, escaped, say
from server.runtime.logs import set_up_logs
from server.settings import Settings
from server.settings_flags import read_settings
from server.wiring import broker_url, look_at, reach_broker

__all__ = ["check"]

#: Most seconds for one of the things.
ANSWER_SECONDS = 15.0
_Look = Callable[[Settings], Awaitable[str]]


def check(words: Sequence[str]) -> None:
    """Look at the settings of the flags `words` and of the environment, and at what they name. Nothing is changed.

    Raises:
        BadSetting: a setting is wrong.
        CommandFailed: something else is not as a server needs it.
    """
    settings = read_settings(words, "boardcast check")
    set_up_logs("critical", settings.secrets)
    _say("ok", "settings", f"{len(settings.model_fields_set)} are set, the others have their defaults")
    failed = asyncio.run(_look_at_all(settings))
    if failed:
        raise CommandFailed(f"a server would not start or not work: {', '.join(failed)}")


async def _look_at_all(settings: Settings) -> list[str]:
    """Print a line for each thing, and return the names of those that are wrong."""
    failed = []
    for name, look in _LOOKS.items():
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                _say("ok", name, await look(settings))
        except TimeoutError:
            _say("fail", name, f"no answer within {ANSWER_SECONDS:g} s")
            failed.append(name)
        except (StoreUnusable, BrokerUnusable, BrokerUnavailable, BadKey, BadDocument) as error:
            _say("fail", name, str(error))
            failed.append(name)
    return failed


def _say(state: str, name: str, sentence: str) -> None:
    say(f"{state:<5} {name:<10} {escaped(' '.join(sentence.split()))}")


async def _database(settings: Settings) -> str:
    return await asyncio.to_thread(look_at, settings.database_url)


async def _broker(settings: Settings) -> str:
    url = broker_url(settings)
    await reach_broker(url)
    return "memory://, for one server" if url.startswith("memory") else f"{url.partition('://')[0]}:// answers"


async def _keys(settings: Settings) -> str:
    secrets = len(settings.secrets)
    ways = [f"{secrets} secrets of --tokens and --tokens-file"] if secrets else []
    if key := settings.jwt_key.get_secret_value():
        try:
            source = open_keys(key)
        except BadKey as error:
            raise BadKey(f"--jwt-key: {error}") from error
        try:
            await source.prepare(None)
            if not source.keys:
                raise BadKey("--jwt-key: the address gave no keys")
            ways.append(f"{len(source.keys)} keys for JSON Web Tokens")
        finally:
            await source.aclose()
    return ", ".join(ways) or ("access tokens only" if settings.require_token else "no token is needed")


async def _documents(settings: Settings) -> str:
    documents = settings.operation_limits.documents
    check_documents(documents, make_schema()._schema)  # noqa: SLF001 - there is no public way to it
    return "those of --trusted-documents fit the schema" if settings.trusted_documents else "any GraphQL document"


#: What is looked at, by the name in the line.
_LOOKS: dict[str, _Look] = {"database": _database, "broker": _broker, "keys": _keys, "documents": _documents}
