"""The content of the demo: its two projects, their possible cards, and the agents that work on them.

Card ids are fixed by project and key. A card that is deleted and created again has the same id, and so the same
attempt. So a demo that runs for weeks has no more attempts than this catalogue has cards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID, uuid5

from realtime.kanban.ids import BoardId, CardId, ColumnId
from realtime.kanban.models import DEFAULT_COLUMNS, DONE, IN_PROGRESS, REVIEW

__all__ = ["AGENTS", "BACKLOG", "PROJECTS", "DemoProject", "Idea"]

#: Agents by key, with the labels that people see.
AGENTS: Mapping[str, str] = {"CODEX": "Codex", "OPENCODE": "OpenCode", "DROID": "Droid"}
BACKLOG = DEFAULT_COLUMNS[0]
_NAMES = UUID("6f1d3c52-0b0e-4a55-9a55-3d1f5b2f7c10")


@dataclass(frozen=True, slots=True)
class Idea:
    """A card that a demo project may have."""

    key: str
    title: str
    ticket_type: str
    #: The file in which the agent works.
    path: str
    description: str
    #: The column of the card in the seeded project; None if the card comes later.
    column: str | None = None
    #: Keys of the seeded cards on which it depends.
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DemoProject:
    """A project of the demo; no other project has its id."""

    id: BoardId
    name: str
    repository_path: str
    repository_slug: str
    ideas: tuple[Idea, ...]

    @property
    def repository_url(self) -> str:
        """The address that the repository would have."""
        return f"https://github.com/{self.repository_slug}"

    def pull_url(self, number: int) -> str:
        """Return the address of a pull request."""
        return f"{self.repository_url}/pull/{number}"

    def card_id(self, key: str) -> CardId:
        """Return the id of an idea's card."""
        return CardId(f"card-{uuid5(_NAMES, f'{self.id}/{key}')}")

    def column_id(self, title: str) -> ColumnId:
        """Return the id of one of the seeded columns."""
        return ColumnId(f"col-{uuid5(_NAMES, f'{self.id}/{title}')}")

    def idea_of(self, card_id: str) -> Idea | None:
        """Return the idea of a card, None if somebody else made the card."""
        return next((idea for idea in self.ideas if self.card_id(idea.key) == card_id), None)


_SHOP = (
    Idea(
        *("currency", "Show prices in the visitor's currency", "feat", "src/prices.ts"),
        "Take the currency from the profile, else from `Accept-Language`. Round **after** tax.",
        DONE,
    ),
    Idea(
        *("pagination", "Keep the page number when a filter changes", "fix", "src/catalog/filters.ts"),
        "Changing the brand filter throws people back to page 1 even when the result still has page 3.",
        DONE,
    ),
    Idea(
        *("stock", "Warn in the cart when stock is low", "feat", "src/cart/stock.ts"),
        "Fewer than five left: show the number. None left: offer to save for later.",
        REVIEW,
    ),
    Idea(
        *("checkout", "Split the checkout page into steps", "refactor", "src/checkout/steps.tsx"),
        "Address, delivery, payment, review. The back button goes back one step and keeps what was typed.",
        IN_PROGRESS,
    ),
    Idea(
        *("wallet", "Pay with a saved card", "feat", "src/payment/wallet.ts"),
        "Needs the steps of the checkout first.",
        BACKLOG,
        ("checkout",),
    ),
    Idea(
        *("images", "Serve product images as AVIF", "perf", "src/images/pipeline.ts"),
        "Images are 71 % of the first load on a phone. Keep JPEG for clients that do not accept AVIF.",
        BACKLOG,
    ),
    Idea(
        *("voucher", "Refuse a voucher that has expired", "fix", "src/cart/voucher.ts"),
        "The date is compared in local time; vouchers end at midnight UTC.",
        BACKLOG,
    ),
    Idea(
        *("e2e", "Test the whole purchase in a browser", "test", "e2e/purchase.spec.ts"),
        "One test from the front page to the receipt, with the payment sandbox.",
        BACKLOG,
        ("checkout", "wallet"),
    ),
    Idea("search", "Forgive typing errors in the search", "feat", "src/search/fuzzy.ts", "One letter off is close."),
    Idea("wishlist", "Share a wish list by link", "feat", "src/wishlist/share.ts", "Read-only, until it is revoked."),
    Idea("a11y", "Name every button for screen readers", "fix", "src/ui/button.tsx", "Icons alone say nothing."),
    Idea("bundle", "Load the review widget on demand", "perf", "src/reviews/lazy.ts", "It is 180 kB nobody asked for."),
    Idea(
        "locale", "Move the texts out of the components", "refactor", "src/i18n/texts.ts", "First German, then Dutch."
    ),
    Idea("receipts", "Attach the receipt as PDF", "feat", "src/orders/receipt.ts", "With the tax number of the buyer."),
    Idea("flaky", "Stop the cart test from failing at midnight", "test", "src/cart/cart.test.ts", "It uses the clock."),
    Idea("upgrade", "Upgrade the bundler", "build", "package.json", "Two major versions behind."),
    Idea("docs", "Explain how to add a payment provider", "docs", "docs/payment.md", "With a working example."),
    Idea("preview", "Deploy a preview of every pull request", "ci", ".github/workflows/preview.yml", "Gone on merge."),
)
_TELEMETRY = (
    Idea(
        *("ingest", "Accept measurements in batches", "feat", "telemetry/ingest.py"),
        "Up to 1,000 in one request, all or nothing. A repeated id changes nothing.",
        DONE,
    ),
    Idea(
        *("clock", "Trust the gateway's clock, not the sensor's", "fix", "telemetry/clock.py"),
        "Some sensors think it is 1970. Keep their time as `sensorTime`, order by ours.",
        DONE,
    ),
    Idea(
        *("retention", "Delete raw samples after thirty days", "feat", "telemetry/retention.py"),
        "Hourly means stay for ever. Delete in chunks; a table lock stops the ingest.",
        REVIEW,
    ),
    Idea(
        *("alerts", "Send an alert when a sensor falls silent", "feat", "telemetry/alerts.py"),
        "Silent = three times its usual interval. One alert, and one when it is back.",
        BACKLOG,
    ),
    Idea(
        *("quiet", "Keep alerts quiet at night", "feat", "telemetry/quiet_hours.py"),
        "By the time zone of the site. Critical ones go through.",
        BACKLOG,
        ("alerts",),
    ),
    Idea(
        *("query", "Answer month queries from the hourly means", "perf", "telemetry/query.py"),
        "A month of raw samples takes 9 s. The chart has 700 pixels.",
        BACKLOG,
    ),
    Idea(
        *("units", "Convert Fahrenheit at the door", "fix", "telemetry/units.py"),
        "Two sites report °F. Everything inside is °C.",
        IN_PROGRESS,
    ),
    Idea(
        *("export", "Export a site as CSV", "feat", "telemetry/export.py"),
        "Streamed, so that a year fits. Semicolons for spreadsheets that want them.",
        BACKLOG,
    ),
    Idea("gaps", "Mark gaps in the charts", "feat", "telemetry/charts.py", "No line where there was no sample."),
    Idea("gzip", "Accept compressed uploads", "perf", "telemetry/upload.py", "Gateways pay for every byte."),
    Idea("tokens", "Give every gateway its own token", "feat", "telemetry/tokens.py", "Revoked within a second."),
    Idea("drift", "Detect drifting sensors", "feat", "telemetry/drift.py", "Compare with the neighbours."),
    Idea("schema", "Version the measurement format", "refactor", "telemetry/schema.py", "Old gateways stay welcome."),
    Idea("backup", "Restore last night's backup in CI", "ci", "ci/restore.sh", "An untried backup is none."),
    Idea("load", "Replay a day of traffic as a load test", "test", "tests/load/replay.py", "At ten times the speed."),
    Idea("runbook", "Write down what to do at 3 a.m.", "docs", "docs/runbook.md", "For somebody half asleep."),
    Idea("deps", "Drop the second HTTP client", "chore", "pyproject.toml", "Two do the same."),
    Idea("naming", "Call it site everywhere", "style", "telemetry/models.py", "Not plant, location, and place."),
)
#: The projects of the demo, which recognises its own boards by these ids.
PROJECTS = (
    DemoProject(BoardId("demo-storefront"), "Demo Storefront", "/srv/demo/storefront", "example/storefront", _SHOP),
    DemoProject(BoardId("demo-telemetry"), "Demo Telemetry", "/srv/demo/telemetry", "example/telemetry", _TELEMETRY),
)
