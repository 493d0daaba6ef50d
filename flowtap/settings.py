# SPDX-License-Identifier: LGPL-2.1-or-later
"""The settings of all processes: one TOML file; each setting is declared here, once, with type, bounds and a sentence.

`load` reads a file and raises SettingsError with all that is wrong in it. `flowtap.toml_text` writes settings.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from flowtap import settings_forms as forms
from flowtap.settings_errors import TOGETHER, explain

if TYPE_CHECKING:
    from capture.live import TapSettings
    from engine import Limits
    from engine.host_rules import Policy

DEFAULT_FILE = Path("/etc/flowtap/flowtap.toml")
MAX_SHARDS = 64  # FT_MAX_SHARDS of bpf/batch.h
_BIGGEST_FILE = 1 << 20


class SettingsError(Exception):
    """A settings file is wrong or cannot be read. `errors` has a line for each mistake, ready for the user."""

    def __init__(self, errors: list[str]) -> None:
        super().__init__("\n".join(errors))
        self.errors = errors


class Section(BaseModel):
    """A table of the file."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def _check(test: Any, expected: str, why: str, value: Any) -> Any:
    if not test(value):
        raise ValueError(why)
    return value


def _form(test: Any, expected: str, why: str = "") -> AfterValidator:
    """Return a check; `expected` is what errors and the documentation say of the type, `why` is for errors alone."""
    return AfterValidator(partial(_check, test, expected, why))


AbsolutePath = Annotated[str, _form(forms.is_path, "an absolute path")]
OptionalFile = Annotated[str, _form(lambda text: not text or forms.is_file(text), 'the absolute path of a file, or ""')]
Pattern = Annotated[str, _form(forms.is_interface, "the name of an interface or a pattern such as eth*")]
Network = Annotated[str, _form(forms.is_network, "an address or a network such as 192.0.2.0/24")]
SystemName = Annotated[str, _form(lambda text: text.strip() != "", "the beginning of a system's name")]
Port = Annotated[int, Field(ge=0, le=65535)]
PowerOfTwo = Annotated[int, Field(ge=1 << 16, le=1 << 30), _form(lambda n: n & (n - 1) == 0, "a power of two")]
Idle = Annotated[float, Field(ge=0.001, le=1e6)]
Feed = Annotated[
    str,
    _form(
        forms.is_feed,
        'an endpoint ipc:///PATH, tcp://127.0.0.1:PORT or tcp://[::1]:PORT, or ""',
        "the feed is neither encrypted nor authenticated, so it does not leave this host",
    ),
]
Listen = Annotated[str, _form(forms.is_listen, 'an address and a port, ADDRESS:PORT, or ""')]


class RuntimeSection(Section):
    """Where the processes meet."""

    dir: AbsolutePath = Field(
        default="/run/flowtap",
        description="Directory of sockets, counters and the hash key. Who may write there may forge events.",
    )


class CaptureSection(Section):
    """What is watched."""

    interfaces: list[Pattern] = Field(
        default=[], description="Interfaces to watch, by name or pattern (eth*); what comes later is watched too."
    )
    backend: Literal["auto", "ebpf", "afpacket"] = Field(
        default="auto", description="How packets are seen: by an eBPF program, by AF_PACKET, or by what is to be had."
    )
    decap: bool = Field(default=False, description="Look into GRE, IPIP, 6in4, VXLAN and Geneve tunnels.")
    ports: list[Port] = Field(
        default=[],
        description="Watch only these TCP and UDP ports, of either side; empty: all. Not with exclude_ports.",
    )
    exclude_ports: list[Port] = Field(
        default=[], description="Watch all TCP and UDP ports but these, of either side. Not with ports."
    )
    cutoff: int = Field(
        default=0,
        ge=0,
        le=0xFFFFFFFF,
        description="Records of a flow after which it is left alone until it ends; 0: never.",
    )
    ring_bytes: PowerOfTwo = Field(
        default=8 << 20,
        description="Bytes of the buffer between kernel and capture process, for each CPU.",
    )
    queue: int = Field(
        default=1024,
        ge=1,
        le=1 << 20,
        description="Messages of 256 records that wait for a worker at most; more are dropped.",
    )

    @field_validator("exclude_ports")
    @classmethod
    def _one_of_both(cls, value: list[int], info: ValidationInfo) -> list[int]:
        if value and info.data.get("ports"):
            raise PydanticCustomError(TOGETHER, "found beside ports, expected only one of the two")
        return value


class WorkersSection(Section):
    """How flows are followed. Flow limits are those of each worker."""

    count: int = Field(default=1, ge=1, le=MAX_SHARDS, description="Worker processes, and shards of the traffic.")
    flows: int = Field(
        default=262_144, ge=1, le=1 << 26, description="Flows that a worker follows at a time; about 1 kB each."
    )
    idle_tcp: Idle = Field(default=1800.0, description="A TCP connection that is silent for so many seconds has ended.")
    idle_udp: Idle = Field(default=60.0, description="The same for UDP.")
    idle_icmp: Idle = Field(default=30.0, description="The same for ICMP.")
    idle_half_open: Idle = Field(default=30.0, description="The same for a TCP connection that nobody has answered.")
    window_ms: int = Field(
        default=1000,
        ge=1,
        le=60_000,
        description="Milliseconds that a worker waits for a silent capture process, to keep packets in order.",
    )
    buffer_records: int = Field(
        default=1 << 20, ge=1 << 12, le=1 << 26, description="Records that may wait for that at most; 72 bytes each."
    )


class SignaturesSection(Section):
    """What flows are compared with."""

    files: list[AbsolutePath] = Field(
        default=[],
        description="Signature files, or directories whose *.fp files are read; empty: those that flowtap ships.",
    )
    pause_ms: int = Field(
        default=400, ge=1, le=3_600_000, description="Think time in milliseconds from which a pause is one (+)."
    )
    exact: bool = Field(default=False, description="Take all sizes exactly: no signature is fuzzy.")


class FingerprintsSection(Section):
    """What systems are told by."""

    files: list[AbsolutePath] = Field(
        default=[],
        description="Files of TCP fingerprints in p0f's format, or directories whose *.fp files are read; "
        "empty: those that flowtap ships.",
    )


class EventsSection(Section):
    """What is reported."""

    flows: bool = Field(default=False, description="Also a flow event, with its shape, for each flow that ended.")
    early: bool = Field(
        default=True,
        description="Alert at once when a signature matches; the alert at the flow's end has the final count.",
    )
    stats_interval: int = Field(default=60, ge=0, le=86_400, description="Seconds between two stats events; 0: none.")


class HostsSection(Section):
    """The host table: what systems the TCP fingerprints of hosts tell, what they do, and the alerts on that."""

    enabled: bool = Field(default=True, description="Take fingerprints of handshakes and keep the host table.")
    size: int = Field(default=32_768, ge=1, le=1 << 24, description="Hosts in the table; about 4 kB each.")
    expire: float = Field(
        default=86_400.0, ge=1.0, le=1e9, description="A host not seen for so many seconds is forgotten."
    )
    pending: int = Field(
        default=65_536,
        ge=4,
        le=1 << 24,
        description="Handshakes under way that each worker follows; about 300 bytes each.",
    )
    handshakes: int = Field(
        default=3, ge=1, le=1_000_000, description="Handshakes that must agree before there is an alert."
    )
    home: list[Network] = Field(
        default=["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7", "fe80::/10"],
        description="The networks of one's own; all others are outside.",
    )
    events: Literal["all", "home", "none"] = Field(
        default="home", description="Of which hosts a host event tells changes: of all, of those at home, of none."
    )
    ports: list[Port] = Field(
        default=[80, 443, 8000, 8008, 8080, 8443, 8888],
        description="A client-class system that answers on one of these ports is an alert.",
    )
    mail_ports: list[Port] = Field(
        default=[25], description="A client-class system that sends mail to one of these ports outside is an alert."
    )
    mail_inbound: bool = Field(
        default=False, description="Also a client-class system outside that sends mail to a home network is an alert."
    )
    allow_networks: list[Network] = Field(default=[], description="Hosts in these networks make no alerts.")
    allow_ports: list[Port] = Field(default=[], description="What is done on these server ports makes no alert.")
    allow_systems: list[SystemName] = Field(
        default=[], description="Systems whose name begins with one of these texts make no alerts."
    )
    client_systems: list[SystemName] = Field(
        default=[],
        description="Systems whose name begins with one of these texts are client-class, whatever the database says.",
    )


class FeedSection(Section):
    """Where subscribers get events (ZeroMQ PUB)."""

    bind: Feed = Field(
        default="", description="Where subscribers connect; empty: to the socket feed in the runtime directory."
    )
    topic: str = Field(
        default="", max_length=255, description="Put before each message; for subscribers that want a prefix."
    )
    format: Literal["json", "msgpack"] = Field(default="json", description="How an event is written.")


class FileSection(Section):
    """Events as a file."""

    path: OptionalFile = Field(
        default="", description="File to which events are appended, one JSON object a line; empty: none."
    )


class MetricsSection(Section):
    """Counters for Prometheus."""

    listen: Listen = Field(default="127.0.0.1:9477", description="Address and port of the HTTP endpoint; empty: none.")


class Settings(Section):
    """All settings."""

    runtime: RuntimeSection = RuntimeSection()
    capture: CaptureSection = CaptureSection()
    workers: WorkersSection = WorkersSection()
    signatures: SignaturesSection = SignaturesSection()
    fingerprints: FingerprintsSection = FingerprintsSection()
    events: EventsSection = EventsSection()
    hosts: HostsSection = HostsSection()
    feed: FeedSection = FeedSection()
    file: FileSection = FileSection()
    metrics: MetricsSection = MetricsSection()

    def limits(self) -> Limits:
        """Return the bounds of a worker's engine."""
        from engine import Limits

        workers = self.workers
        return Limits(
            flows=workers.flows,
            hits=4 * workers.flows,
            idle_tcp=workers.idle_tcp,
            idle_udp=workers.idle_udp,
            idle_icmp=workers.idle_icmp,
            idle_half_open=workers.idle_half_open,
        )

    def policy(self) -> Policy:
        """Return what decides on alerts about hosts."""
        from engine.host_rules import Networks, Policy

        hosts = self.hosts
        return Policy(
            home=Networks(hosts.home),
            handshakes=hosts.handshakes,
            ports=frozenset(hosts.ports),
            mail_ports=frozenset(hosts.mail_ports),
            mail_inbound=hosts.mail_inbound,
            allow_networks=Networks(hosts.allow_networks),
            allow_ports=frozenset(hosts.allow_ports),
            allow_systems=tuple(hosts.allow_systems),
            client_systems=tuple(hosts.client_systems),
        )

    def tap(self, key: bytes, sender: int) -> TapSettings:
        """Return what a tap is told; `key` is Runtime.key(), `sender` 64 random bits."""
        from capture.live import TapSettings

        capture = self.capture
        return TapSettings(
            key=key,
            sender=sender,
            shards=self.workers.count,
            decap=capture.decap,
            ports=frozenset(capture.ports),
            exclude_ports=frozenset(capture.exclude_ports),
            cutoff=capture.cutoff,
            ring_bytes=capture.ring_bytes,
        )


def load(path: str | Path | None = None) -> Settings:
    """Return the settings of the file at `path`; None: of DEFAULT_FILE, or the defaults where that is absent.

    Raises SettingsError with every mistake in the file.
    """
    file = DEFAULT_FILE if path is None else Path(path)
    try:
        with file.open("rb") as stream:
            data = stream.read(_BIGGEST_FILE + 1)
    except FileNotFoundError as error:
        if path is None:
            return Settings()
        raise SettingsError([f"{file}: {error.strerror}"]) from error
    except OSError as error:
        raise SettingsError([f"{file}: {error.strerror}"]) from error
    if len(data) > _BIGGEST_FILE:
        raise SettingsError([f"{file}: larger than 1 MiB, expected settings in TOML"])
    return parse(data, str(file))


def parse(data: bytes, name: str) -> Settings:
    """Return the settings that `data` holds; `name` is the file's in errors. Raises SettingsError."""
    from flowtap import toml

    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SettingsError([f"{name}:{line}: byte 0x{data[error.start]:02x} is not UTF-8, expected TOML"]) from error
    document = toml.read(text)
    lines = text.split("\n")
    mistakes = [
        (m.line, f"{name}:{m.line}:{m.column}: {m.message}, found {lines[m.line - 1].strip()[:80]!r}")
        for m in document.mistakes
    ]
    settings = None
    try:
        settings = Settings.model_validate(document.values)
    except ValidationError as error:
        mistakes += [(line, f"{name}:{line}: {what}") for line, what in explain(error, Settings, document)]
    if settings is None or mistakes:
        raise SettingsError([text for _, text in sorted(mistakes)])
    return settings
