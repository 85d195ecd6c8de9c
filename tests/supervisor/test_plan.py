"""The plan: who starts, in which order, with which limits; and specs that are refused."""

from importlib.util import find_spec
from pathlib import Path

import msgspec
import pytest

from actors.core.config import Capture, Config
from supervisor.keys import all_sections
from supervisor.plan import demo_config, known_ids, plan
from supervisor.reload import affected_ids, changed_sections
from supervisor.spec import ChildSpec, Group, SpecError, validated

STANDBY = Config(capture=Capture(standby=True))


def test_the_order_is_against_the_flow_and_the_simulator_runs_in_the_demo_only() -> None:
    assert [spec.id for spec in plan(STANDBY, True)] == [
        "web", "broadcaster", "state", "writer", "normalizer", "journal", "capture-b", "capture-a", "simulator",
        "browser", "pilot",
    ]  # fmt: skip
    alone = Config(capture=Capture(standby=False))
    assert {"simulator", "capture-b"} & {spec.id for spec in plan(alone, False)} == set()
    assert set(known_ids()) == {spec.id for spec in plan(STANDBY, True)}


def test_captures_have_a_second_to_show_progress_and_the_others_what_is_configured() -> None:
    limits = {spec.id: spec.hang_s for spec in plan(STANDBY, True)}
    assert (limits.pop("capture-a"), limits.pop("capture-b")) == (1.0, 1.0)
    assert set(limits.values()) == {Config().supervisor.hang_s}


def test_every_start_string_names_a_module_that_is_there() -> None:
    assert [spec.start for spec in plan(STANDBY, True) if find_spec(spec.start.partition(":")[0]) is None] == []


def test_every_section_read_by_an_actor_exists_and_every_section_is_read() -> None:
    read = {section for spec in plan(STANDBY, True) for section in spec.sections}
    assert read <= set(all_sections())
    assert set(all_sections()) - read == {"supervisor", "actors"}


def test_the_demo_never_touches_the_wallets_profile_nor_the_real_data() -> None:
    config = Config(data_dir="/d")
    demo = demo_config(config)
    assert demo.data_path == Path("/d/demo")
    assert demo.runtime_path == config.runtime_path == Path("/d/run")
    assert demo.profile_path == Path("/d/demo/profile")
    assert demo.browser.headless
    assert demo.browser.cdp_port == 0


def test_a_change_restarts_who_reads_it() -> None:
    old = Config()
    new = msgspec.structs.replace(old, recording=msgspec.structs.replace(old.recording, flush_rows=1))
    specs = plan(old, False)
    changed = affected_ids(specs, changed_sections(old, new), [spec.id for spec in specs])
    assert "writer" in changed
    assert "browser" not in changed
    assert affected_ids(specs, changed_sections(old, old), [spec.id for spec in specs]) == []


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"id": "A b"}, "child spec 'A b': id is 'A b', must be small letters, digits and hyphens"),
        ({"start": "no colon"}, "start is 'no colon', must be 'package.module:function'"),
        ({"restart": "sometimes"}, "must be one of permanent, transient, temporary"),
        ({"shutdown_s": -1}, "shutdown_s is -1, must be 0 to 3600 seconds"),
        ({"hang_s": 0}, "hang_s is 0, must be above 0"),
        ({"group": "nowhere"}, "group is 'nowhere', must be one of"),
    ],
)
def test_a_bad_spec_is_refused_by_name(bad: dict[str, object], message: str) -> None:
    values: dict[str, object] = {"id": "a", "start": "m:f", **bad}
    with pytest.raises(SpecError, match=message):
        validated([ChildSpec(**values)])  # type: ignore[arg-type]


def test_an_id_stands_once() -> None:
    spec = ChildSpec(id="a", start="m:f")
    with pytest.raises(SpecError, match="id stands twice"):
        validated([spec, spec])


def test_a_known_group_is_accepted() -> None:
    (spec,) = validated([ChildSpec(id="a", start="m:f", group="g")], [Group(id="g", strategy="one_for_all")])
    assert spec.group == "g"
