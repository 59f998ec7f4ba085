"""Settings: every flag of the command line is a `BOARDCAST_…` variable and a row of the table in docs/operating.md."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from realtime.fanout.subscriber import MAX_QUEUED_BYTES
from realtime.messages.options import SlowPolicy
from schema.operation_limits import OperationLimits
from schema.trusted_documents import BadDocument, TrustedDocuments, parse_manifest
from server import setting_texts

__all__ = ["Settings"]

#: Most characters that are read of `--tokens-file`.
MAX_TOKENS_FILE = 1024 * 1024
#: Most bytes of `--trusted-documents`.
MAX_MANIFEST = 16 * 1024 * 1024


class Settings(BaseSettings):
    """The settings of the operator. `__main__` builds them once and passes them to the other modules."""

    model_config = SettingsConfigDict(
        env_prefix="BOARDCAST_",
        frozen=True,
        allow_inf_nan=False,
        cli_kebab_case=True,
        cli_implicit_flags=True,
        cli_prog_name="boardcast",
    )

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one and prints it.")
    workers: int = Field(
        default=1, ge=1, le=64, description="Processes that share the port; more than 1 need PostgreSQL."
    )
    worker_timeout_seconds: float = Field(
        default=15.0, ge=0, description="Seconds without a sign of life after which a worker is replaced; 0 = never."
    )
    node_name: Annotated[str, AfterValidator(setting_texts.node_name)] = Field(
        default="", description="Name of this server among several; empty = its host and port."
    )
    allow_anonymous: bool = Field(
        default=False, description="Listen on an address that others can reach, without any authentication."
    )
    tokens: SecretStr = Field(
        default=SecretStr(""),
        description="Secrets, separated by commas. A client must send one of them, an access token or a JSON Web "
        "Token.",
    )
    tokens_file: Path | None = Field(
        default=None, description="File with more secrets like those of --tokens, one in each line."
    )
    require_token: bool = Field(
        default=False,
        description="Require a token although there is neither --tokens nor --jwt-key: an access token "
        "(boardcast token create).",
    )
    jwt_key: SecretStr = Field(
        default=SecretStr(""),
        description="Verifies JSON Web Tokens: a file or https URL of a JSON Web Key Set, a PEM file, or a secret.",
    )
    jwt_issuer: str | None = Field(default=None, description="The issuer (iss) that each JSON Web Token must name.")
    jwt_audience: str | None = Field(default=None, description="The audience (aud) that each JSON Web Token must name.")
    session_days: float = Field(
        default=7.0,
        gt=0,
        le=366,
        description="Days after which a session of a web page ends, if its token lasts so long.",
    )
    allowed_origins: str = Field(
        default="", description="More web origins that may connect, separated by commas; * = all."
    )
    allow_local_origins: bool = Field(
        default=False, description="Let web pages of every loopback origin connect; --demo does so too."
    )
    allowed_hosts: Annotated[str, AfterValidator(setting_texts.host_names)] = Field(
        default="",
        description="Host names of the server, separated by commas, with or without a port; * = all.",
    )
    trusted_proxies: Annotated[str, AfterValidator(setting_texts.networks)] = Field(
        default="",
        description="Addresses or networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.",
    )
    web_client: Annotated[Path | None, AfterValidator(setting_texts.web_client)] = Field(
        default=None,
        description="Folder of a built web client that is served at /; the own page is then at /boardcast.",
    )
    database_url: str = Field(
        default="sqlite:///./boardcast.db", description="URL of the database with the rows and the event log."
    )
    retention_days: float = Field(
        default=30.0, ge=0, le=36_500, description="Days that an event stays in the event log; 0 = for ever."
    )
    retention_events: int = Field(
        default=100_000, ge=0, description="Newest events that stay in the event log of each board; 0 = all."
    )
    prune_seconds: float = Field(
        default=300.0, gt=0, description="Seconds between two removals of old events from the log."
    )
    broker_url: str = Field(
        default="", description="URL of the broker between servers; empty = the PostgreSQL database, else memory://."
    )
    demo: bool = Field(default=False, description="Seed an empty database and let a scripted agent work on it.")
    demo_seed: int = Field(default=1, description="Seed of the demo's random choices; equal seeds give equal steps.")
    demo_pace: float = Field(
        default=1.0, gt=0, le=1000, description="Speed of the demo, as a multiple of its usual pace."
    )
    heartbeat_seconds: float = Field(default=30.0, gt=0, description="Seconds between two heartbeats on SSE.")
    heartbeat_timeout_seconds: float = Field(
        default=150.0, gt=0, description="Seconds without a JSON message after which a board WebSocket is closed."
    )
    ping_seconds: float = Field(
        default=20.0, gt=0, description="Seconds between protocol pings on WebSockets, and how long a pong may take."
    )
    graphql_init_seconds: float = Field(
        default=10.0, gt=0, description="Seconds in which a GraphQL WebSocket must be initialised."
    )
    graphql_ping_seconds: float = Field(
        default=20.0, gt=0, description="Seconds between two ping or ka messages on GraphQL WebSockets."
    )
    legacy_graphql_ws: bool = Field(
        default=True, description="Accept the older GraphQL subprotocol graphql-ws of subscriptions-transport-ws."
    )
    send_timeout_seconds: float = Field(
        default=30.0, gt=0, description="Seconds after which the connection of a client that takes nothing is cut."
    )
    head_timeout_seconds: float = Field(
        default=10.0, gt=0, description="Seconds in which the head of a request must be complete."
    )
    body_timeout_seconds: float = Field(
        default=30.0, gt=0, description="Seconds that a request's body may pause, and take beyond what 1 KiB/s needs."
    )
    max_connections: int = Field(
        default=20_000, ge=1, description="Connections that may be open; fewer if the system has too few descriptors."
    )
    max_connections_per_client: int = Field(
        default=15_000, ge=1, description="Connections that one client may have open: a token, else an address."
    )
    direct_writes: bool = Field(
        default=True,
        description="Write equal bytes directly to all subscribers; off = through ASGI, for more CPU.",
    )
    compression: bool = Field(
        default=True, description="Compress messages, answers and streams for clients that accept it."
    )
    shutdown_grace_seconds: float = Field(
        default=5.0, ge=0, description="Seconds in which open streams must end when the server stops."
    )
    max_connection_seconds: float = Field(
        default=0.0, ge=0, description="Seconds after which a stream's connection is ended, or a tenth less; 0 = never."
    )
    max_queued_envelopes: int = Field(
        default=10_000, ge=1, description="Messages that may wait for one subscriber before it counts as too slow."
    )
    max_queued_bytes: int = Field(
        default=MAX_QUEUED_BYTES,
        ge=1024,
        description="Bytes of messages that may wait for one subscriber before it counts as too slow.",
    )
    slow_policies: Annotated[str, AfterValidator(setting_texts.policies)] = Field(
        default=",".join(SlowPolicy),
        description="Slow policies that clients may choose, separated by commas; the first is the default.",
    )
    max_operations: int = Field(
        default=100, ge=1, description="Operations that may run at the same time on one GraphQL connection."
    )
    max_reservations: int = Field(
        default=20,
        ge=1,
        description="Streams of graphql-sse's single connection mode that one client may reserve before it opens them.",
    )
    max_graphql_cost: int = Field(
        default=50_000,
        ge=1,
        description="Highest cost of a GraphQL operation: a field costs 1, a list multiplies what is inside it.",
    )
    graphql_timeout_seconds: float = Field(
        default=10.0, gt=0, description="Seconds after which a GraphQL operation, or one event of it, is cancelled."
    )
    introspection: bool = Field(default=True, description="Answer GraphQL queries for the schema itself.")
    trusted_documents: Path | None = Field(
        default=None,
        description="Manifest (Apollo, Relay, Code Generator) of GraphQL documents that requests may name by ids.",
    )
    only_trusted_documents: bool = Field(
        default=False, description="Execute no GraphQL document that is not in --trusted-documents."
    )
    max_boards: int = Field(default=20_000, ge=1, description="Most boards.")
    max_agents: int = Field(default=1_000, ge=1, description="Agents that may be registered.")
    max_agent_profiles: int = Field(default=1_000, ge=1, description="Most profiles of all agents together.")
    max_access_tokens: int = Field(
        default=1_000, ge=1, description="Most access tokens; those that have expired make room for new ones."
    )
    max_sessions: int = Field(
        default=5_000,
        ge=1,
        description="Most sessions of web pages; another one ends the oldest one of the token that has most.",
    )
    max_sessions_per_client: int = Field(
        default=500, ge=1, description="Most sessions of one token; its oldest one ends when another begins."
    )
    max_sign_ins: int = Field(
        default=300, ge=0, description="Sessions that one token may begin in a minute; 0 = any number."
    )
    max_cards_per_board: int = Field(default=2_500, ge=1, description="Cards that may be on one board.")
    max_board_bytes: int = Field(default=10 * 1024 * 1024, ge=1024, description="Bytes of the largest board state.")
    max_commands_per_second: float = Field(
        default=5_000.0, ge=0, description="Commands that one client may send in a second; 0 = any number."
    )
    max_events_per_second: float = Field(
        default=100_000.0, ge=0, description="Events that one client may report in a second; 0 = any number."
    )
    max_failed_authentications: int = Field(
        default=300, ge=0, description="Wrong tokens that may come from one address in a minute; 0 = any number."
    )
    max_body_bytes: int = Field(default=1024 * 1024, ge=1024, description="Bytes of the largest request body.")
    max_frame_bytes: int = Field(default=1024 * 1024, ge=1024, description="Bytes of the largest WebSocket message.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="What is logged, on standard error."
    )
    access_log: bool = Field(
        default=False, description="Log a line for each request, and one for each stream when it ends."
    )
    log_format: Literal["auto", "console", "logfmt", "json"] = Field(
        default="auto", description="How lines of the log look; auto = console on a terminal, else logfmt."
    )
    open_telemetry: Annotated[bool, AfterValidator(setting_texts.has_tracing)] = Field(
        default=False, description="Send a trace of each command by OTLP; OTEL_EXPORTER_OTLP_ENDPOINT says where to."
    )
    clock: Annotated[str | None, AfterValidator(setting_texts.instant)] = Field(
        default=None, description="An ISO 8601 instant at which the server's clock stands still (for tests)."
    )

    @model_validator(mode="after")
    def _has_good_tokens(self) -> Self:
        # Checked here and not at the field: the error of a field repeats the value, which is secret.
        given = setting_texts.single(self.tokens.get_secret_value().split(","))
        if self.tokens.get_secret_value().strip() and not given:
            raise ValueError("--tokens: expected tokens, got commas only")
        setting_texts.check_secrets("--tokens", given)
        setting_texts.check_secrets("--tokens-file", self._secrets_of_file)
        if self.tokens_file is not None and not self._secrets_of_file:
            raise ValueError("--tokens-file: expected a file with a token in each line, got an empty one")
        return self

    @model_validator(mode="after")
    def _can_have_workers(self) -> Self:
        if self.workers > 1 and not self.database_url.startswith(("postgresql:", "postgres:")):
            raise ValueError(
                f"--workers: expected 1 with a SQLite file, which belongs to one process, got {self.workers}; "
                "name a PostgreSQL database (--database-url postgresql://…), or leave --workers out"
            )
        if self.workers > 1 and self.demo:
            raise ValueError(f"--workers: expected 1 with --demo, whose agent runs once, got {self.workers}")
        return self

    @model_validator(mode="after")
    def _has_its_documents(self) -> Self:
        if self.only_trusted_documents and self.trusted_documents is None:
            raise ValueError("--only-trusted-documents: expected --trusted-documents with it, got none")
        _ = self._documents  # reads the file
        return self

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        if not setting_texts.is_loopback(self.host) and not self.allow_anonymous and not self.authenticates:
            raise ValueError(
                f"expected a loopback host, got {self.host!r}: others could reach the server and nothing "
                "authenticates them; give --tokens, --tokens-file, --jwt-key or --require-token, "
                "or say --allow-anonymous if that is meant"
            )
        return self

    @property
    def operation_limits(self) -> OperationLimits:
        """The limits of one GraphQL operation."""
        return OperationLimits(self.max_graphql_cost, self.graphql_timeout_seconds, self._documents, self.introspection)

    @cached_property
    def _documents(self) -> TrustedDocuments:
        """The documents of `trusted_documents`, as they were at the start."""
        if self.trusted_documents is None:
            return TrustedDocuments()
        try:
            with self.trusted_documents.open("rb") as file:
                manifest = file.read(MAX_MANIFEST + 1)
        except OSError as error:
            raise ValueError(f"--trusted-documents: {error.strerror}: {self.trusted_documents}") from error
        if len(manifest) > MAX_MANIFEST:
            raise ValueError(f"--trusted-documents: expected at most {MAX_MANIFEST} bytes, got more")
        try:
            return TrustedDocuments(parse_manifest(manifest), self.only_trusted_documents)
        except BadDocument as error:
            raise ValueError(f"--trusted-documents: {error}") from error

    @property
    def authenticates(self) -> bool:
        """Whether clients need a token."""
        return bool(self.secrets or self.jwt_key.get_secret_value() or self.require_token)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The single secrets of `tokens` and `tokens_file`."""
        return (*setting_texts.single(self.tokens.get_secret_value().split(",")), *self._secrets_of_file)

    @cached_property
    def _secrets_of_file(self) -> tuple[str, ...]:
        """The secrets of `tokens_file`, as they were at the start."""
        if self.tokens_file is None:
            return ()
        try:
            with self.tokens_file.open(encoding="utf-8") as file:
                return setting_texts.single(file.read(MAX_TOKENS_FILE).splitlines())
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "it is no text"
            raise ValueError(f"--tokens-file: cannot read {self.tokens_file}: {reason}") from None

    @property
    def origins(self) -> frozenset[str]:
        """The single origins in `allowed_origins`."""
        return frozenset(origin.strip().rstrip("/").lower() for origin in self.allowed_origins.split(",")) - {""}

    @property
    def proxies(self) -> tuple[str, ...]:
        """The single addresses and networks in `trusted_proxies`."""
        return setting_texts.single(self.trusted_proxies.split(","))

    @property
    def are_local_origins_welcome(self) -> bool:
        """Whether pages of every loopback origin may connect."""
        return self.demo or self.allow_local_origins

    @property
    def hosts(self) -> frozenset[str]:
        """The single host names in `allowed_hosts`."""
        return frozenset(host.strip().lower() for host in self.allowed_hosts.split(",")) - {""}

    @property
    def is_local_and_open(self) -> bool:
        """Whether only this machine reaches the server, and no token is needed. Then any page there has full access."""
        return setting_texts.is_loopback(self.host) and not self.authenticates

    @property
    def allowed_slow_policies(self) -> tuple[SlowPolicy, ...]:
        """The single policies in `slow_policies`."""
        return tuple(map(SlowPolicy, self.slow_policies.split(",")))
