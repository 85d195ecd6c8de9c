"""The locks of the ZeroMQ doors, as `check` sees them: half a lock, a wrong key, and keys that others may have."""

import os
import shutil
from pathlib import Path

import pytest
from zmq.auth import create_certificates, load_certificate

from actors.core.bus_rules import bus_faults
from actors.core.config import BusSection
from supervisor.settings import SettingsError, load
from tests.supervisor.command import NOBODY, call

SECRET, CLIENTS = "bus.curve_secret_file", "bus.curve_clients_dir"


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A server's pair, and one client that may connect."""
    folder = tmp_path / "keys"
    (folder / "clients").mkdir(parents=True)
    for name in ("server", "friend"):
        create_certificates(folder, name)
        (folder / f"{name}.key_secret").chmod(0o600)
    shutil.copy(folder / "friend.key", folder / "clients")
    return folder


def section(keys: Path, **changes: str | None) -> BusSection:
    named: dict[str, str | None] = {
        "curve_secret_file": str(keys / "server.key_secret"), "curve_clients_dir": str(keys / "clients"), **changes,
    }  # fmt: skip
    return BusSection(**{name: value for name, value in named.items() if name != "x"})  # type: ignore[arg-type]


def fault(bus: BusSection) -> tuple[str, str]:
    (found,) = list(bus_faults(bus))
    return found.key, found.rule


def test_both_are_good_and_neither_is(keys: Path) -> None:
    assert list(bus_faults(section(keys))) == []
    assert list(bus_faults(BusSection())) == []


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:0", "tcp://0.0.0.0:0", "ipc://@x"])
@pytest.mark.parametrize("nothing", [None, ""])
def test_one_without_the_other_is_refused_wherever_the_door_is(keys: Path, address: str, nothing: str | None) -> None:
    for forgotten, key in (("curve_secret_file", SECRET), ("curve_clients_dir", CLIENTS)):
        found = list(bus_faults(section(keys, events=address, **{forgotten: nothing})))
        assert any(one.key == key and "one without the other locks nothing" in one.rule for one in found)


def test_a_public_key_given_as_the_secret_is_named(keys: Path) -> None:
    key, rule = fault(section(keys, curve_secret_file=str(keys / "server.key")))
    assert (key, rule) == (SECRET, "a file with a secret key: it holds a public key alone")


@pytest.mark.parametrize(
    "content",
    [b"", b"junk", b'public-key = "short"\nsecret-key = "short"\n', b"\xff" * 100, b"\0" * 70_000, b'public-key = "%s"']
)  # fmt: skip
def test_a_file_that_is_no_key_is_named_whoever_needs_it(keys: Path, content: bytes) -> None:
    (keys / "server.key_secret").write_bytes(content)
    assert fault(section(keys))[0] == SECRET
    create_certificates(keys, "server")
    (keys / "server.key_secret").chmod(0o600)
    (keys / "clients" / "other.key").write_bytes(content)
    assert fault(section(keys))[0] == CLIENTS


def test_a_pair_whose_halves_do_not_belong_together_is_named(keys: Path) -> None:
    public, _ = load_certificate(keys / "friend.key")
    server, _ = load_certificate(keys / "server.key")
    path = keys / "server.key_secret"
    path.write_bytes(path.read_bytes().replace(server, public))
    assert "whose public key belongs to its secret key" in fault(section(keys))[1]


@pytest.mark.parametrize("what", ["secret", "clients", "no clients", "folder as secret", "file as clients"])
def test_what_is_not_there_is_named(keys: Path, what: str) -> None:
    if what == "secret":
        (keys / "server.key_secret").unlink()
    elif what == "clients":
        shutil.rmtree(keys / "clients")
    elif what == "no clients":
        (keys / "clients" / "friend.key").rename(keys / "clients" / "friend.txt")
    changes = {
        "folder as secret": {"curve_secret_file": str(keys)},
        "file as clients": {"curve_clients_dir": str(keys / "server.key")},
    }
    assert fault(section(keys, **changes.get(what, {})))[0] == (SECRET if "secret" in what else CLIENTS)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o666])
def test_a_secret_that_others_may_read_or_change_is_none(keys: Path, mode: int) -> None:
    (keys / "server.key_secret").chmod(mode)
    assert f"readable by you alone; it has mode {mode:o}" in fault(section(keys))[1]


@pytest.mark.parametrize(("path", "key"), [("", SECRET), ("clients", CLIENTS), ("clients/friend.key", CLIENTS)])
def test_where_others_could_put_a_key_is_refused(keys: Path, path: str, key: str) -> None:
    (keys / path).chmod(0o777)
    assert fault(section(keys))[0] == key


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make files of a second user")
@pytest.mark.parametrize("path", ["server.key_secret", "", "clients", "clients/friend.key"])
def test_what_another_owns_is_refused(keys: Path, path: str) -> None:
    os.chown(keys / path, NOBODY, NOBODY)
    assert fault(section(keys))[0] == (CLIENTS if "clients" in path else SECRET)


def test_the_home_directory_is_meant_by_the_tilde_everywhere(keys: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(keys))
    named = {"curve_secret_file": "~/server.key_secret", "curve_clients_dir": "~/clients"}
    assert list(bus_faults(section(keys, **named))) == []
    assert "must be a path whose ~ names a user" in errors_of({"bus.curve_secret_file": "~nobody-here/x"})


@pytest.mark.parametrize(
    "address",
    ["ipc://@vectra", "ipc:///tmp/x", "ipc:///dev/shm/x", "ipc://x", "ipc://./x", "ipc://*", "ipc://", "ipc:///",
     "tcp://*:9100", "tcp://0.0.0.0:9100", "tcp://[::]:9100", "tcp://eth0:9100", "tcp://example.org:9100",
     "tcp://a@127.0.0.1:9100", "tcp://127.0.0.1:9100/x", "tcp://127.0.0.1", "tcp://127.0.0.1:", "tcp://127.0.0.1:66000",
     "tcp://0.0.0.0;127.0.0.1:9100", "tcp://127.0.0.1:+9100", "tcp://127.0.0.1:9100 ", "udp://127.0.0.1:1", "inproc://x",
     "tcp://2130706433:9100", "tcp://:9100", "", "tcp://127.1:9100", "ipc:///" + "x" * 200]
)  # fmt: skip
def test_a_door_that_others_could_reach_or_that_is_none_is_refused_without_keys(address: str) -> None:
    for name in ("events", "requests"):
        assert f"bus.{name} is " in errors_of({f"bus.{name}": address})


def test_a_socket_in_a_private_directory_is_a_door_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "private"
    for mode in (0o755, 0o770, 0o701, 0o1777):
        folder.mkdir(exist_ok=True)
        folder.chmod(mode)
        assert fault(BusSection(events=f"ipc://{folder}/events"))[1].startswith("in a private directory; ")
    folder.chmod(0o700)
    assert list(bus_faults(BusSection(events=f"ipc://{folder}/events"))) == []
    assert list(bus_faults(BusSection(events=f"ipc://{folder}/not/made/yet/events"))) == []


def test_a_door_does_not_take_the_place_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "thesis.pdf"
    path.write_text("years")
    assert "the file there would be deleted" in fault(BusSection(events=f"ipc://{path}"))[1]
    (tmp_path / "link").symlink_to(path)
    assert "the file there would be deleted" in fault(BusSection(events=f"ipc://{tmp_path}/link"))[1]


@pytest.mark.parametrize(
    "origin",
    ["*", "null", "example.org", "https://*.example.org", "https://a.example/x", "https://a.example, https://b.example",
     "https://", " https://a.example", "^https"],
)  # fmt: skip
def test_an_origin_that_matches_nothing_or_anything_is_refused(origin: str) -> None:
    assert "feed.allowed_origins[0] is " in errors_of({"feed.allowed_origins": f'["{origin}"]'})


@pytest.mark.parametrize("origin", ["https://example.org", "http://localhost:3000", "http://[::1]:8080",
                                    "chrome-extension://abcdef", "https://example.org/"])  # fmt: skip
def test_a_whole_origin_is_accepted(origin: str) -> None:
    assert load("/dev/null", {}, [f"feed.allowed_origins={origin}"]).config.feed.allowed_origins == [origin]


@pytest.mark.system
def test_check_doctor_and_start_refuse_half_a_lock(keys: Path, tmp_path: Path) -> None:
    half = ("--set", f"{SECRET}={keys / 'server.key_secret'}", "--data-dir", str(tmp_path / "data"))
    for command in ("check", "start"):
        answer = call(tmp_path, command, *half, home=tmp_path)
        assert (answer.code, f"{CLIENTS} is null, must be set" in answer.err) == (2, True), answer
    doctor = call(tmp_path, "doctor", *half, home=tmp_path)
    assert (doctor.code, doctor.out.startswith(f"BAD  settings: settings: {CLIENTS} is null")) == (1, True), doctor
    assert not (tmp_path / "data").exists()


def errors_of(values: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as caught:
        load("/dev/null", {}, [f"{name}={value}" for name, value in values.items()])
    return str(caught.value)
