# SPDX-License-Identifier: LGPL-2.1-or-later
"""Settings: defaults, one line for each mistake with its place, rules between settings, what they become."""

import re
import runpy
import tomllib
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowtap import settings as declared
from flowtap import toml
from flowtap.settings import Settings, SettingsError, load, parse
from flowtap.settings_errors import expected
from flowtap.toml_text import settings_toml
from tests.conftest import ROOT

WHOLE_64 = "expected a whole number from 1 to 64"
BOTH_PORTS = "capture.exclude_ports: found beside ports, expected only one of the two"
FEED = 'expected an endpoint ipc:///PATH, tcp://127.0.0.1:PORT or tcp://[::1]:PORT, or ""'


def errors(text: str | bytes) -> list[str]:
    """Return what is wrong with a file called f of this text."""
    try:
        parse(text.encode() if isinstance(text, str) else text, "f")
    except SettingsError as wrong:
        assert str(wrong) == "\n".join(wrong.errors)
        return wrong.errors
    return []


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[workers]\ncount = 0", f"f:2: workers.count: found 0, {WHOLE_64}"),
        ("[workers]\n\ncount = 65", f"f:3: workers.count: found 65, {WHOLE_64}"),
        ('[workers]\ncount = "2"', f'f:2: workers.count: found "2", {WHOLE_64}'),
        ("[workers]\ncount = true", f"f:2: workers.count: found true, {WHOLE_64}"),
        ("workers.count = 1.5", f"f:1: workers.count: found 1.5, {WHOLE_64}"),
        ("workers = { count = [] }", f"f:1: workers.count: found [], {WHOLE_64}"),
        ("workers = 2", "f:1: workers: found 2, expected a table: [workers]"),
        ("[[workers]]\ncount = 1", 'f:1: workers: found [{"count":1}], expected a table: [workers]'),
        ("[worker]\ncount = 1", "f:1: worker: unknown section, expected workers?"),
        ("[workers]\ncuont = 1", "f:2: workers.cuont: unknown setting, expected count?"),
        ("interfaces = []", "f:1: interfaces: unknown section, expected capture.interfaces?"),
        (
            "[file]\nzzz = 1",
            "f:2: file.zzz: unknown setting, expected one of path",
        ),
        ("[capture]\nring_bytes = 100000", "f:2: capture.ring_bytes: found 100000, expected a power of two from"),
        (
            "[capture]\nports = [22,\n 70000,\n]",
            "f:2: capture.ports[1]: found 70000, expected a whole number from 0 to",
        ),
        ("[capture]\nports = 22", "f:2: capture.ports: found 22, expected a list, each entry a whole number from 0"),
        ('[capture]\ninterfaces = ["a b"]', 'f:2: capture.interfaces[0]: found "a b", expected the name of an'),
        ('[capture]\nbackend = "bpf"', 'f:2: capture.backend: found "bpf", expected "auto", "ebpf" or "afpacket"'),
        ("[capture]\ndecap = 1", "f:2: capture.decap: found 1, expected true or false"),
        ("[capture]\nports = [1]\n\nexclude_ports = [2]", f"f:4: {BOTH_PORTS}"),
        ("[workers]\nidle_udp = nan", "f:2: workers.idle_udp: found nan, expected a number from 0.001 to 1,000,000"),
        ("[workers]\nidle_udp = inf", "f:2: workers.idle_udp: found inf, expected a number from 0.001 to 1,000,000"),
        ('[runtime]\ndir = "run"', 'f:2: runtime.dir: found "run", expected an absolute path'),
        ('[signatures]\nfiles = ["/a", "b"]', 'f:2: signatures.files[1]: found "b", expected an absolute path'),
        ('[file]\npath = "events"', 'f:2: file.path: found "events", expected the absolute path of a file'),
        ('[metrics]\nlisten = "9477"', 'f:2: metrics.listen: found "9477", expected an address and a port'),
        ('[metrics]\nlisten = "[::1]:0"', 'f:2: metrics.listen: found "[::1]:0", expected an address and a port'),
        ('[feed]\nbind = "tcp://0.0.0.0:5"', f'f:2: feed.bind: found "tcp://0.0.0.0:5", {FEED} (the feed is neither'),
        ('[feed]\nbind = "tcp://*:5"', f'f:2: feed.bind: found "tcp://*:5", {FEED}'),
        ('[feed]\nbind = "tcp://127.0.0.1:x"', f'f:2: feed.bind: found "tcp://127.0.0.1:x", {FEED}'),
        ('[feed]\nbind = "ipc://feed"', f'f:2: feed.bind: found "ipc://feed", {FEED}'),
        ("[feed]\nbind = 1979-05-27", f'f:2: feed.bind: found "1979-05-27", {FEED}'),
        ("[capture]\ninterfaces = eth0", "f:2:14: invalid value, found 'interfaces = eth0'"),
        ("[capture\ndecap = true", "f:1:9: expected ']' at the end of a table declaration, found '[capture'"),
        ("[capture]\nports = [1,2", "f:2:1: unclosed array, found 'ports = [1,2'"),
        ('[feed]\ntopic = """a\n', "f:2:1: unterminated string"),
        ("[capture]\ndecap = true\ndecap = true", "f:3:1: cannot overwrite a value, found 'decap = true'"),
        ("[capture]\n[capture]", "f:2:9: cannot declare ('capture',) twice, found '[capture]'"),
        (b"# a\n\xff = 1", "f:2: byte 0xff is not UTF-8, expected TOML"),
        ("\0", "f:1:1: "),
        ("count", "f:1:6: expected '=' after a key in a key/value pair, found 'count'"),
    ],
)
def test_mistake(text: str | bytes, line: str) -> None:
    found = errors(text)
    assert len(found) == 1
    assert found[0].startswith(line)


def test_all_mistakes_at_once() -> None:
    found = errors(
        "[capture]\ninterfaces = eth0\nports = [1]\nexclude_ports = [2]\nring_bytes = 3\n"
        '[workers]\ncount = [1, 2\nflows = 0\n[wrokers]\n[feed]\nformat = "xml"\n'
    )
    assert [line.split(" ")[0] for line in found] == [
        "f:2:14:", "f:4:", "f:5:", "f:7:1:", "f:8:", "f:9:", "f:11:",
    ]  # fmt: skip


def test_value_over_many_lines() -> None:
    assert errors("[capture]\nports = [ # a = 1\n  22,\n  23,\n]\ndecap = 1\n") == [
        "f:6: capture.decap: found 1, expected true or false"
    ]


BAD = {
    "capture.interfaces[0]": (
        '["eth0:1"]', '[""]', '["!"]', '["."]', '[".."]', '["!!eth0"]', '["eth/0"]', '["eth 0"]',
        '["sixteencharacter"]', '["ééééééééé"]', "[1]", '[["eth0"]]', '["eth\\u00000"]',
    ),
    "capture.ring_bytes": ("0", "-1", "65537", "2147483648", "1e6", '"8M"'),
    "capture.queue": ("0", "-5", "1048577", "0.5"),
    "capture.cutoff": ("-1", "4294967296"),
    "capture.ports[0]": ("[-1]", "[65536]", '["22"]', '["ssh"]', "[22.0]"),
    "hosts.ports[0]": ("[-1]", "[65536]"),
    "hosts.home[0]": (
        '["10.0.0.0/33"]', '["10.0.0"]', '["fd00::/129"]', '["lan"]', '[""]', '["10.0.0.0/8 "]', '["1.2.3.04"]',
    ),
    "hosts.expire": ("0", "0.5", "inf", "nan", '"1d"'),
    "workers.window_ms": ("0", "60001", "-1", "1.5", '"1s"'),
    "workers.buffer_records": ("0", "4095", "67108865"),
    "workers.flows": ("0", "67108865", "-1"),
    "workers.idle_tcp": ("0", "-1", "1000001", "inf", '"30 min"', "true"),
    "signatures.pause_ms": ("0", "3600001", "0.4"),
    "signatures.files[0]": ('["a.fp"]', '[""]', '["/a\\n"]', '["~/a.fp"]', '["./a"]', "[0]"),
    "events.stats_interval": ("-1", "86401"),
    "runtime.dir": ('""', '"run"', '"/a\\tb"', '"/' + "x" * 256 + '"', "0"),
    "file.path": (
        '"events.json"', '"/"', '"/var/log/"', '"/var/log/.."', '"/var/log/."', '"~/x"', "1", '"/' + "a/" * 2048 + 'b"',
    ),
    "feed.bind": (
        '"ipc://"', '"ipc:///"', '"ipc:///run/feed/"', '"ipc:///' + "x" * 107 + '"', '"ipc:///' + "é" * 60 + '"',
        '"tcp://127.0.0.1"', '"tcp://127.0.0.1:0"', '"tcp://127.0.0.1:65536"', '"tcp://10.0.0.1:5"', '"tcp://[::]:5"',
        '"tcp://localhost:5"', '"inproc://feed"', '"udp://127.0.0.1:5"', '"127.0.0.1:5"',
    ),
    "feed.topic": ('"' + "x" * 256 + '"', "1"),
    "metrics.listen": (
        '"localhost"', '":9477"', '"127.0.0.1:"', '"127.0.0.1:0"', '"127.0.0.1:65536"', '"127.0.0.1:-1"',
        '"127.0.0.1:+80"', '"127.0.0.1:0x50"', '"256.0.0.1:9477"', '"1.2.3:9477"', '"1.2.3.4.5:9477"',
        '"host_name:9477"', '"a..b:9477"', '"-a.example:9477"', '"::1:9477"', '"[::1]"', '"[:::]:9477"',
        '"[127.0.0.1]:9477"',
        '"[fe80::1%eth0]:9477"', '"http://127.0.0.1:9477"', '"127.0.0.1:9477/metrics"', '" 127.0.0.1:9477"', "9477",
        '"' + "a." * 127 + 'a:9477"', '"*:9477"',
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "values"), BAD.items())
def test_bad_values(name: str, values: tuple[str, ...]) -> None:
    section, _, key = name.removesuffix("[0]").partition(".")
    for value in values:
        (told,) = errors(f"[{section}]\n{key} = {value}\n")
        assert re.match(rf"f:2: {re.escape(name)}: found .+, expected .+", told), told


@pytest.mark.parametrize(
    "name",
    ["eth0", "!eth0", "*", "!*", "eth*", "en[ps]?", "lan.100", "@a", "a-b_c", "fifteencharacte", "veth12345678901"],
)
def test_interface(name: str) -> None:
    assert parse(f'[capture]\ninterfaces = ["{name}"]'.encode(), "f").capture.interfaces == [name]


@pytest.mark.parametrize(
    "listen", ["", "127.0.0.1:1", "[::1]:65535", "localhost:9477", "0.0.0.0:9477", "gw-1.example:80", "a1:1"]
)
def test_listen(listen: str) -> None:
    assert parse(f'[metrics]\nlisten = "{listen}"'.encode(), "f").metrics.listen == listen


@pytest.mark.parametrize("bind", ["", "ipc:///run/feed", "tcp://127.0.0.1:5000", "tcp://127.3.3.3:1", "tcp://[::1]:9"])
def test_feed(bind: str) -> None:
    assert parse(f'[feed]\nbind = "{bind}"'.encode(), "f").feed.bind == bind


def test_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(declared, "DEFAULT_FILE", tmp_path / "absent.toml")
    assert load() == Settings()
    for path, reason in ((tmp_path / "no.toml", "No such file or directory"), (tmp_path, "Is a directory")):
        with pytest.raises(SettingsError) as wrong:
            load(path)
        assert wrong.value.errors == [f"{path}: {reason}"]
    large = tmp_path / "large.toml"
    large.write_bytes(b"#" * (1 << 21))
    with pytest.raises(SettingsError, match="larger than 1 MiB"):
        load(large)


def test_every_setting_is_told() -> None:
    for name, section in Settings.model_fields.items():
        model = section.annotation
        assert model is not None
        for key, field in model.model_fields.items():
            assert (field.description or "").endswith("."), f"{name}.{key}"
            assert expected(field), f"{name}.{key}"


@pytest.mark.parametrize(
    "text",
    ["", '[capture]\ninterfaces = ["eth\\\\0", "a\\"b"]\nports = [1]\n[workers]\nidle_tcp = 1e3\n[feed]\ntopic = "é#"'],
)
def test_what_is_shown_can_be_read(text: str) -> None:
    settings = parse(text.encode(), "f")
    shown = settings_toml(settings)
    assert parse(shown.encode(), "f") == settings
    assert max(map(len, shown.splitlines())) <= 120


def test_conversions() -> None:
    settings = parse(b"[capture]\nports = [22]\ndecap = true\n[workers]\ncount = 3\nflows = 7\nidle_udp = 5\n", "f")
    tap = settings.tap(bytes(64), 9)
    assert (tap.shards, tap.ports, tap.decap, tap.sender, tap.cutoff) == (3, frozenset({22}), True, 9, 0)
    limits = settings.limits()
    limits.check()
    assert (limits.flows, limits.idle_udp, limits.idle_tcp) == (7, 5.0, 1800.0)


def test_shards_are_those_of_the_header() -> None:
    assert f"#define FT_MAX_SHARDS {declared.MAX_SHARDS}\n" in (ROOT / "bpf" / "batch.h").read_text()


@given(st.text(st.sampled_from("[]{}=,.#\"'\\ \nab1é\t"), max_size=60))
def test_toml_agrees_with_tomllib(text: str) -> None:
    document = toml.read(text)
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        assert document.mistakes
        lines = text.count("\n") + 1
        assert all(1 <= mistake.line <= lines and mistake.column >= 1 for mistake in document.mistakes)
    else:
        assert (document.values, document.mistakes) == (values, [])
        for path in document.lines:
            inside = values
            for name in path:
                inside = inside[0][name] if isinstance(inside, list) else inside[name]


def test_backends_are_those_of_a_tap() -> None:
    backend = Settings.model_fields["capture"].annotation
    assert backend is not None
    assert get_args(backend.model_fields["backend"].annotation) == ("auto", "ebpf", "afpacket")


def test_handbook_lists_all_settings() -> None:
    tables = runpy.run_path(str(ROOT / "docs" / "settings.py"))["tables"]()
    assert tables in (ROOT / "docs" / "settings.md").read_text()
