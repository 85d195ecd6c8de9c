"""Settings that were only found, in the folder one stands in: what they may set, and who may have written them."""

import json
import os
import stat
from pathlib import Path

import pytest

from supervisor import trust
from supervisor.keys import all_keys
from supervisor.settings import Loaded, SettingsError, load
from tests.supervisor.command import NOBODY, call
from tests.supervisor.running import ROOT

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root to make files of a second user")

# a value for each key that names a program, a place, a peer or a site, or that deletes
STARTS_OR_REDIRECTS = {
    "data_dir": "/elsewhere", "runtime_dir": "/elsewhere", "site.url": "https://evil.example",
    "site.socket_pattern": ".*", "browser.binary": "/bin/sh", "browser.profile": "other",
    "browser.profile_dir": "/elsewhere", "browser.args": ["--proxy-server=evil:1"], "feed.host": "localhost",
    "feed.allowed_origins": ["https://evil.example"], "bus.events": "tcp://127.0.0.1:1",
    "bus.requests": "tcp://127.0.0.1:1", "bus.curve_secret_file": "/k", "bus.curve_clients_dir": "/k",
    "web.host": "localhost", "simulator.host": "localhost", "simulator.replay": "/dev/zero",
    "actors.extra": [{"id": "helper", "command": ["sh"]}], "actors.groups": [{"id": "g"}], "actors.path": ["/evil"],
    "journal.retention_days": 1, "journal.max_bytes": 64_000_000,
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with a home of the test's own beside it."""
    for name in ("home", "folder"):
        (tmp_path / name).mkdir(mode=0o755)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "folder")
    return tmp_path / "folder"


def put(path: Path, values: dict[str, object]) -> Path:
    """Write settings by dotted names."""
    data: dict[str, object] = {}
    for name, value in values.items():
        section, _, leaf = name.rpartition(".")
        if section:
            part = data.setdefault(section, {})
            assert isinstance(part, dict)
            part[leaf] = value
        else:
            data[leaf] = value
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_text(json.dumps(data))
    return path


def error_of(given: str | None = None, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        load(given, environ or {})
    return str(caught.value)


def read() -> Loaded:
    return load(None, {})


def test_every_key_is_either_tuning_or_needs_trust() -> None:
    tuning = {name for name in all_keys() if not trust.needs_trust(name)}
    assert tuning.isdisjoint(STARTS_OR_REDIRECTS)
    assert tuning | set(STARTS_OR_REDIRECTS) == set(all_keys()), "a new key: what can it start, redirect or delete?"
    for name in tuning - {"simulator.seed"}:
        assert isinstance(all_keys()[name].default, (bool, int, float)) or name == "log.level"


@pytest.mark.parametrize("name", STARTS_OR_REDIRECTS)
def test_a_key_that_starts_redirects_or_deletes_counts_only_with_trust(folder: Path, name: str) -> None:
    put(folder / "vectra.yaml", {name: STARTS_OR_REDIRECTS[name]})
    assert error_of().startswith(f"vectra.yaml: sets {name}, which a file in the working directory may set only")
    put(folder / "vectra.yaml", {name: all_keys()[name].default})
    assert read().path == str(folder / "vectra.yaml"), "a default bothers nobody"


def test_a_key_that_only_tunes_counts(folder: Path) -> None:
    put(folder / "vectra.yaml", {"feed.port": 9500, "recording.flush_s": 2.0, "log.level": "debug"})
    config = read().config
    assert (config.feed.port, config.recording.flush_s, config.log.level) == (9500, 2.0, "debug")


def test_the_users_own_file_a_named_file_and_the_environment_set_everything(folder: Path) -> None:
    path = put(folder / "vectra.yaml", {"site.url": "https://a.example"})
    assert load("vectra.yaml", {}).config.site.url == "https://a.example"
    assert load(str(path), {}).config.site.url == "https://a.example"
    path.unlink()
    put(Path("~/.config/vectra/vectra.yaml").expanduser(), {"site.url": "https://b.example"})
    assert read().config.site.url == "https://b.example"
    assert load(None, {"VECTRA_SITE_URL": "https://c.example"}).config.site.url == "https://c.example"


def test_what_the_environment_beats_needs_no_trust(folder: Path) -> None:
    put(folder / "vectra.yaml", {"data_dir": "/elsewhere"})
    assert load(None, {"VECTRA_DATA_DIR": "/mine"}).config.data_dir == "/mine"
    assert load(None, {}, ["data_dir=/mine"]).config.data_dir == "/mine"


def test_trust_is_for_this_content_at_this_place(folder: Path) -> None:
    path = put(folder / "vectra.yaml", {"site.url": "https://a.example"})
    trust.remember(path, path.read_bytes())
    assert read().config.site.url == "https://a.example"
    store = Path(trust.STORE).expanduser()
    assert (stat.S_IMODE(store.stat().st_mode), stat.S_IMODE(store.parent.stat().st_mode)) == (0o600, 0o700)
    put(path, {"site.url": "https://b.example"})
    assert "It has changed since you trusted it." in error_of()
    put(path, {"site.url": "https://a.example"})
    assert read().config.site.url == "https://a.example"
    elsewhere = folder.parent / "other"
    elsewhere.mkdir()
    (elsewhere / "vectra.yaml").write_bytes(path.read_bytes())
    os.chdir(elsewhere)
    assert "It was only found here." in error_of()
    os.chdir(folder)
    assert trust.forget(path)
    assert "It was only found here." in error_of()


OWN = "~/.config/vectra/vectra.yaml"


@pytest.mark.parametrize(
    ("own", "here"),
    [
        ({"data_dir": "/mine"}, {"log.level": "debug"}),
        ({"bus.curve_secret_file": "/k", "bus.curve_clients_dir": "/c"}, {}),
        ({"privacy.pseudonymise": True}, {"log.level": "debug"}),
        ({"privacy.pseudonymise": True}, {"privacy.pseudonymise": False}),
    ],
)
def test_a_found_file_does_not_switch_off_what_the_users_own_protects(
    folder: Path, own: dict[str, object], here: dict[str, object]
) -> None:
    put(Path(OWN).expanduser(), own)
    path = put(folder / "vectra.yaml", here)
    assert f"which sets {', '.join(own)}." in error_of()
    trust.remember(path, path.read_bytes())
    assert read().path == str(path)


def test_a_found_file_counts_where_it_hides_nothing_that_protects(folder: Path) -> None:
    put(Path(OWN).expanduser(), {"privacy.pseudonymise": True, "feed.port": 9501, "site.url": "https://a.example"})
    put(folder / "vectra.yaml", {"privacy.pseudonymise": True, "feed.port": 9500})
    assert "which sets site.url." in error_of()
    assert load(None, {"VECTRA_SITE_URL": "https://b.example"}).config.feed.port == 9500


def test_trust_shows_what_counts_and_all_of_it(folder: Path) -> None:
    path, home = folder / "vectra.yaml", folder.parent / "home"
    path.write_text("browser:\n  binary: /usr/bin/chromium\nbrowser.binary: /evil\n")
    assert "browser.binary stands twice" in error_of()
    refused = call(folder, "trust", home=home)
    assert (refused.code, "browser.binary stands twice" in refused.err) == (2, True), refused
    long = ["--" + "x" * 500, "--end\x9b31m\u202e"]
    path.write_text(json.dumps({"browser": {"args": long}}))
    shown = call(folder, "trust", home=home)
    assert (shown.code, "--end\\x9b31m\\u202e" in shown.out, shown.out.count("x" * 500)) == (0, True, 1), shown


@pytest.mark.parametrize("damage", ["mode", "owner", "link", "content"])
def test_a_list_that_another_could_have_written_trusts_nothing(folder: Path, damage: str) -> None:
    path = put(folder / "vectra.yaml", {"site.url": "https://a.example"})
    trust.remember(path, path.read_bytes())
    store = Path(trust.STORE).expanduser()
    if damage == "mode":
        store.chmod(0o666)
    elif damage == "owner":
        if os.geteuid() != 0:
            pytest.skip("needs root to make files of a second user")
        os.chown(store, NOBODY, NOBODY)
    elif damage == "link":
        store.rename(store.with_name("real"))
        store.symlink_to(store.with_name("real"))
    else:
        store.write_text("[" * 100_000)
    assert "vectra-supervisor trust" in error_of()


@as_root
@pytest.mark.parametrize(
    ("of_file", "mode", "of_folder", "folder_mode", "found"),
    [
        (NOBODY, 0o644, 0, 0o755, "belongs to"), (0, 0o666, 0, 0o755, "has mode 666"),
        (0, 0o664, 0, 0o755, "has mode 664"), (0, 0o644, 0, 0o777, "which has mode 777"),
        (0, 0o644, 0, 0o1777, "which has mode 1777"), (0, 0o644, NOBODY, 0o755, "which belongs to"),
        (0, 0o644, 0, 0o775, "which has mode 775"),
    ],
)  # fmt: skip
def test_a_file_that_another_wrote_or_may_write_or_replace_is_not_used(
    folder: Path, of_file: int, mode: int, of_folder: int, folder_mode: int, found: str
) -> None:
    path = put(folder / "vectra.yaml", {"feed.port": 9500})
    os.chown(path, of_file, -1)
    os.chown(folder, of_folder, -1)
    path.chmod(mode)
    folder.chmod(folder_mode)
    assert found in error_of()
    assert "or name it with --config" in error_of()
    assert load("vectra.yaml", {}).config.feed.port == 9500
    trust.remember(path, path.read_bytes())
    assert found in error_of(), "trust does not make up for it: the file could change between two looks"
    path.write_bytes((ROOT / "vectra.yaml").read_bytes())
    assert read().path is None, "and the file that comes with VECTRA says only the defaults: nobody is asked"
    unit = call(folder, "install-service", "--system", "--print", home=folder.parent / "home")
    assert (unit.code, "--config" in unit.out) == (0, False), "what is passed over now must not count later"


@as_root
def test_a_link_of_anothers_or_to_another_folder_is_followed_with_the_same_rules(folder: Path) -> None:
    real = put(folder.parent / "real" / "vectra.yaml", {"feed.port": 9500})
    (folder / "vectra.yaml").symlink_to(real)
    assert read().config.feed.port == 9500
    real.parent.chmod(0o777)
    assert f"lies in {real.parent}, which has mode 777" in error_of()
    real.parent.chmod(0o755)
    os.chown(folder / "vectra.yaml", NOBODY, NOBODY, follow_symlinks=False)
    assert "belongs to" in error_of()


@as_root
def test_the_users_own_file_must_be_the_users_or_roots(folder: Path) -> None:
    path = put(Path("~/.config/vectra/vectra.yaml").expanduser(), {"feed.port": 9500})
    assert read().config.feed.port == 9500
    os.chown(path, NOBODY, NOBODY)
    assert "belongs to" in error_of()


@pytest.mark.parametrize("kind", ["folder", "pipe", "nowhere"])
def test_what_is_no_file_is_passed_over(folder: Path, kind: str) -> None:
    path = folder / "vectra.yaml"
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/nowhere")
    assert read().path is None


# As a user would: the commands.


def plant(folder: Path) -> Path:
    """Settings that run a program, which leaves a file where it ran."""
    proof = folder.parent / "proof"
    command = {"id": "helper", "command": ["sh", "-c", f"id > {proof}"]}
    put(folder / "vectra.yaml", {"actors.extra": [command], "data_dir": str(folder.parent / "data")})
    return proof


@pytest.mark.system
def test_a_folder_that_was_unpacked_starts_nothing_until_it_is_trusted(folder: Path) -> None:
    home = folder.parent / "home"
    proof = plant(folder)
    for arguments in (["start"], ["start", "--demo"], ["check"], ["reload"], ["install-service", "--print"],
                      ["import", "x"], ["rebuild"], ["compact"]):  # fmt: skip
        refused = call(folder, *arguments, home=home)
        assert (refused.code, "vectra.yaml: sets data_dir, actors.extra" in refused.err) == (2, True), refused
    looked = call(folder, "status", home=home)
    assert (looked.code, looked.err.startswith("warning: vectra.yaml: sets data_dir")) == (3, True), looked
    assert call(folder, "doctor", home=home).out.startswith("BAD  settings: vectra.yaml: sets data_dir, actors.extra")
    assert not proof.exists()
    assert not (folder.parent / "data").exists()
    trusted = call(folder.parent, "trust", "folder", home=home)
    assert (trusted.code, "actors.extra" in trusted.out, str(proof) in trusted.out) == (0, True, True), trusted
    assert call(folder, "trust", "--list", home=home).out == f"{folder / 'vectra.yaml'}\n"
    assert call(folder, "check", home=home).code == 0
    assert call(folder, "trust", "--remove", home=home).out.endswith("is trusted no more.\n")
    assert call(folder, "check", home=home).code == 2


@pytest.mark.system
def test_start_says_first_which_file_it_reads(folder: Path) -> None:
    home = folder.parent / "home"
    put(folder / "vectra.yaml", {"browser.binary": None, "feed.port": 0})
    started = call(folder, "start", home=home, VECTRA_BROWSER_BINARY="/no/such/browser")
    assert (started.code, started.out) == (1, f"Settings: {folder / 'vectra.yaml'}\n")
    put(Path("~/.config/vectra/vectra.yaml").expanduser(), {})
    (folder / "vectra.yaml").unlink()
    started = call(folder, "start", home=home, VECTRA_BROWSER_BINARY="/no/such/browser")
    assert started.out == f"Settings: {home / '.config/vectra/vectra.yaml'}\n"
    assert call(folder, "doctor", home=home).out.startswith(f"ok   settings: {home / '.config/vectra/vectra.yaml'}\n")


@as_root
@pytest.mark.system
def test_another_users_folder_is_not_trusted_even_by_trust(folder: Path) -> None:
    plant(folder)
    os.chown(folder / "vectra.yaml", NOBODY, NOBODY)
    refused = call(folder, "trust", home=folder.parent / "home")
    assert (refused.code, "belongs to" in refused.err) == (2, True), refused
