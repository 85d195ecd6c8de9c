"""The settings, as data: one frozen struct a section, every key with a default.

The loader (`supervisor/settings.py`) fills these from file, environment and command line; actors receive the finished
`Config` and read it, nothing else. A key's rule is written beside it as `Meta`, so that the loader can check it and
`docs/reference/configuration.md` can be generated from it. Paths are kept as the user wrote them; the properties of
`Config` expand them.
"""

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

Port = Annotated[int, Meta(ge=0, le=65535, description="0 to 65535; 0 takes any free port")]


class Section(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every section: keyword only, immutable, unknown keys are errors."""


class Site(Section, frozen=True, kw_only=True):
    """The page to open and the sockets of it that count."""

    url: Annotated[str, Meta(pattern="^https?://", description="an http(s) URL")] = "https://rugs.fun"
    socket_pattern: Annotated[str, Meta(min_length=1, description="a Python regular expression")] = (
        r"^wss?://([^/]+\.)?rugs\.fun/socket\.io/"
    )


class Browser(Section, frozen=True, kw_only=True):
    """The Chromium that VECTRA starts."""

    binary: str | None = None
    headless: bool = False
    profile: Annotated[
        str, Meta(pattern=r"^[^/\x00]+$", description="a name without a slash; whole paths go to browser.profile_dir")
    ] = "rugs_bot"
    profile_dir: str | None = None
    cdp_port: Port = 9222
    args: list[str] = []


class Capture(Section, frozen=True, kw_only=True):
    """How the browser's traffic is read."""

    standby: bool = True
    buttons: bool = True
    ring_bytes: Annotated[int, Meta(ge=1_000_000, le=4_000_000_000, description="1000000 to 4000000000")] = 64_000_000


class Privacy(Section, frozen=True, kw_only=True):
    """What of other players is kept."""

    pseudonymise: bool = False


class Journal(Section, frozen=True, kw_only=True):
    """The log on disk that all else is derived from."""

    commit_ms: Annotated[int, Meta(ge=1, le=1000, description="1 to 1000")] = 50
    segment_bytes: Annotated[int, Meta(ge=65_536, le=1_000_000_000, description="65536 to 1000000000")] = 4_000_000
    retention_days: Annotated[int, Meta(ge=1, le=3650, description="1 to 3650")] = 14
    max_bytes: Annotated[int, Meta(ge=64_000_000, description="at least 64000000")] = 20_000_000_000


class Recording(Section, frozen=True, kw_only=True):
    """What is written to Parquet, and when."""

    autostart: bool = True
    flush_s: Annotated[float, Meta(gt=0, le=3600, description="above 0, at most 3600")] = 5.0
    flush_rows: Annotated[int, Meta(ge=1, le=1_000_000, description="1 to 1000000")] = 5000
    compact_s: Annotated[float, Meta(ge=0, le=86_400, description="0 to 86400; 0 only when asked")] = 3600.0


class Feed(Section, frozen=True, kw_only=True):
    """The WebSocket feed for clients."""

    host: str = "127.0.0.1"
    port: Port = 9000
    allowed_origins: list[str] = []
    client_bytes: Annotated[int, Meta(ge=65_536, description="at least 65536")] = 4_000_000
    client_age_s: Annotated[float, Meta(gt=0, le=3600, description="above 0, at most 3600")] = 10.0


class Monitor(Section, frozen=True, kw_only=True):
    """The read-only monitor page, health and metrics."""

    port: Port = 9001


class BusSection(Section, frozen=True, kw_only=True):
    """The ZeroMQ doors for other programs; addresses beyond loopback need CURVE keys."""

    events: str = "tcp://127.0.0.1:9100"
    requests: str = "tcp://127.0.0.1:9101"
    curve_secret_file: str | None = None
    curve_clients_dir: str | None = None


class Web(Section, frozen=True, kw_only=True):
    """The control room."""

    host: str = "127.0.0.1"
    port: Port = 5000


class Simulator(Section, frozen=True, kw_only=True):
    """The local rugs.fun of the demo and the tests."""

    host: str = "127.0.0.1"
    port: Port = 0
    speed: Annotated[float, Meta(gt=0, le=1000, description="above 0, at most 1000; 1 is real time")] = 1.0
    seed: str | None = None
    replay: str | None = None
    replay_speed: Annotated[float, Meta(ge=0, le=100_000, description="0 to 100000; 0 is as fast as it goes")] = 1.0
    rate: Annotated[float, Meta(ge=0, le=100_000, description="0 to 100000 extra frames a second")] = 0.0
    payload_bytes: Annotated[int, Meta(ge=0, le=50_000_000, description="0 to 50000000; 0 mixes 2 to 15 KB")] = 0


class Supervisor(Section, frozen=True, kw_only=True):
    """How the actors are kept alive."""

    start_timeout_s: Annotated[float, Meta(gt=0, le=600, description="above 0, at most 600")] = 30.0
    stop_timeout_s: Annotated[float, Meta(gt=0, le=600, description="above 0, at most 600")] = 5.0
    hang_s: Annotated[float, Meta(ge=1, le=3600, description="1 to 3600")] = 5.0
    intensity: Annotated[int, Meta(ge=0, le=1000, description="0 to 1000 restarts")] = 5
    period_s: Annotated[float, Meta(gt=0, le=3600, description="above 0, at most 3600")] = 5.0


Name = Annotated[
    str, Meta(pattern=r"^[a-z][a-z0-9-]{0,39}\Z", description="small letters, digits and hyphens, a letter first")
]
Limit = Annotated[float, Meta(gt=0, le=3600, description="above 0, at most 3600")]
Restarts = Annotated[int, Meta(ge=0, le=1000, description="0 to 1000 restarts")]


class ExtraActor(Section, frozen=True, kw_only=True):
    """An actor of the user's own: a Python function (`start`), or a plain program (`command`).

    What is null is as `supervisor` says. start_s: a program that ran for so long is ready. folder: where a program
    runs, null: the data directory.
    """

    id: Name
    start: (
        Annotated[str, Meta(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*\Z", description="'package.module:function'")] | None
    ) = None
    command: (
        Annotated[list[str], Meta(min_length=1, description="a list of texts: the program and its arguments")] | None
    ) = None
    restart: Literal["permanent", "transient", "temporary"] = "permanent"
    shutdown_s: Annotated[float, Meta(ge=0, le=3600, description="0 to 3600")] | None = None
    start_timeout_s: Limit | None = None
    hang_s: Annotated[float, Meta(ge=1, le=3600, description="1 to 3600")] | None = None
    intensity: Restarts | None = None
    period_s: Limit | None = None
    group: Name = "main"
    start_s: Limit = 1.0
    folder: str | None = None
    environment: dict[str, str] = {}


class ActorGroup(Section, frozen=True, kw_only=True):
    """Extra actors that stand and fall together. intensity: of all together; null: each one's own is enough."""

    id: Name
    strategy: Literal["one_for_one", "one_for_all", "rest_for_one"] = "one_for_one"
    intensity: Restarts | None = None
    period_s: Limit = 5.0


class Actors(Section, frozen=True, kw_only=True):
    """Actors of your own, supervised like ours."""

    extra: Annotated[
        list[ExtraActor], Meta(max_length=50, description="a list of actors, each with id, and start or command")
    ] = []
    groups: Annotated[
        list[ActorGroup], Meta(max_length=50, description="a list of groups, each with id and strategy")
    ] = []
    path: Annotated[list[str], Meta(description="a list of folders, as whole paths")] = []


class Log(Section, frozen=True, kw_only=True):
    """The log files."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    max_bytes: Annotated[int, Meta(ge=10_000, description="at least 10000")] = 5_000_000
    keep: Annotated[int, Meta(ge=1, le=100, description="1 to 100 old files")] = 3


class Config(Section, frozen=True, kw_only=True):
    """All settings as they are in force."""

    data_dir: str = "~/rugs_data"
    runtime_dir: str | None = None
    site: Site = field(default_factory=Site)
    browser: Browser = field(default_factory=Browser)
    capture: Capture = field(default_factory=Capture)
    privacy: Privacy = field(default_factory=Privacy)
    journal: Journal = field(default_factory=Journal)
    recording: Recording = field(default_factory=Recording)
    feed: Feed = field(default_factory=Feed)
    monitor: Monitor = field(default_factory=Monitor)
    bus: BusSection = field(default_factory=BusSection)
    web: Web = field(default_factory=Web)
    simulator: Simulator = field(default_factory=Simulator)
    supervisor: Supervisor = field(default_factory=Supervisor)
    actors: Actors = field(default_factory=Actors)
    log: Log = field(default_factory=Log)

    @property
    def data_path(self) -> Path:
        """The data directory, absolute."""
        return Path(self.data_dir).expanduser().absolute()

    @property
    def runtime_path(self) -> Path:
        """The directory of sockets, logs and tokens, absolute."""
        return Path(self.runtime_dir).expanduser().absolute() if self.runtime_dir else self.data_path / "run"

    @property
    def profile_path(self) -> Path:
        """Chromium's profile directory, absolute."""
        if self.browser.profile_dir:
            return Path(self.browser.profile_dir).expanduser().absolute()
        return Path("~/.gamebot/chrome_profiles").expanduser() / self.browser.profile
