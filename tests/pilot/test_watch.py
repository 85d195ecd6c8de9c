"""The pilot's decisions, as a playbook."""

from actors.core.browser_file import AttachedFile
from actors.pilot.actor import closed_for_s
from actors.pilot.watch import (
    AFTER_KILL_S,
    LONGEST_RETRY_S,
    RETRY_S,
    SECOND_CAPTURE_S,
    SOCKET_CLOSED_S,
    TAB_CLOSED_S,
    Order,
    Told,
    View,
    Watch,
    same_origin,
)

SITE = "http://site/"


def view(**changes: object) -> View:
    seen = {"guid": "g1", "captures": 2, "site": SITE, "connected": True} | changes
    return View(**seen)  # type: ignore[arg-type]


def watching(now_s: float = 0.0) -> Watch:
    """A watch whose page is open since `now_s`."""
    watch = Watch(2)
    assert watch.next(view(connected=False), now_s) == Order(kind="find", url=SITE)
    assert watch.found("blank", now_s) is None
    assert watch.next(view(), now_s) == Order(kind="open", url=SITE, cause="start")
    watch.opened(SITE, None, now_s)
    assert watch.told() == [Told(what="loaded", cause="start", url=SITE)]
    return watch


def kind(order: Order | None) -> str | None:
    return order.kind if order else None


def probe(watch: Watch, now_s: float, browser: str | None = SITE, page: str | None = SITE) -> Order | None:
    """One round of probes; returns what follows from it."""
    order = watch.next(view(), now_s)
    if kind(order) == "probe_browser":
        follows = watch.probed("probe_browser", browser, now_s)
        if browser is None:
            return follows
        order = watch.next(view(), now_s)
    assert kind(order) == "probe_page"
    return watch.probed("probe_page", page, now_s)


def test_nothing_is_opened_without_a_capture() -> None:
    watch = blank(Watch(2), captures=0)
    assert watch.next(view(captures=0), 0.9) is None
    assert kind(watch.next(view(captures=0), 1.0)) == "probe_browser"
    assert watch.probed("probe_browser", "about:blank", 1.0) is None
    assert watch.next(view(captures=0), 1.9) is None
    assert kind(watch.next(view(captures=0), 2.0)) == "probe_browser"
    assert kind(watch.next(view(captures=2), 2.1)) == "open"


def blank(watch: Watch, now_s: float = 0.0, captures: int = 1) -> Watch:
    """Connected to a blank tab."""
    assert kind(watch.next(view(captures=captures, connected=False), now_s)) == "find"
    watch.found("blank", now_s)
    return watch


def test_the_second_capture_is_waited_for_but_not_for_ever() -> None:
    watch = blank(Watch(2), 10.0)
    assert watch.next(view(captures=1), 10.1) is None
    assert kind(watch.next(view(captures=1), 10.0 + SECOND_CAPTURE_S - 0.1)) == "probe_browser"
    assert kind(watch.next(view(captures=1), 10.0 + SECOND_CAPTURE_S)) == "open"
    assert kind(blank(Watch(1), 10.0).next(view(captures=1), 10.0)) == "open"
    assert kind(blank(Watch(2), 10.0).next(view(captures=2), 10.0)) == "open"


def test_nothing_is_opened_while_the_site_is_unknown() -> None:
    assert Watch(2).next(view(site=None), 10.0) is None


def test_an_open_page_is_adopted_and_not_opened_again() -> None:
    watch = Watch(2)
    watch.next(view(connected=False), 0.0)
    watch.found("site", 0.0)
    assert watch.told() == [Told(what="adopted", cause="start", url=SITE)]
    assert watch.next(view(), 0.0) is None
    assert kind(watch.next(view(), 1.0)) == "probe_browser"


def test_without_any_tab_a_blank_one_is_opened_first() -> None:
    watch = Watch(2)
    watch.next(view(connected=False), 0.0)
    assert kind(watch.found("none", 0.0)) == "new_tab"
    watch.found("blank", 0.0)
    assert kind(watch.next(view(), 0.0)) == "open"


def test_a_tab_that_the_user_closed_comes_back_after_five_seconds() -> None:
    watch = watching()
    assert kind(watch.next(view(connected=False), 10.0)) == "find"
    assert watch.found("none", 10.0) is None
    assert watch.next(view(connected=False), 10.0 + RETRY_S - 0.1) is None
    assert kind(watch.next(view(connected=False), 10.0 + TAB_CLOSED_S)) == "find"
    assert kind(watch.found("none", 10.0 + TAB_CLOSED_S)) == "new_tab"
    watch.found("blank", 16.0)
    watch.next(view(), 16.0)
    watch.opened(SITE, None, 16.0)
    assert watch.told() == [Told(what="loaded", cause="tab closed", url=SITE)]


def test_healthy_probes_ask_for_nothing() -> None:
    watch = watching()
    for second in range(1, 20):
        assert probe(watch, float(second)) is None
        assert watch.next(view(), second + 0.9) is None


def test_a_crashed_page_is_reloaded_at_once() -> None:
    watch = watching()
    assert watch.next(view(crashed=True), 0.1) == Order(kind="reload", cause="page crashed")
    watch.reloaded("page crashed", 0.1)
    assert watch.told() == [Told(what="reloaded", cause="page crashed", url=SITE)]
    assert watch.next(view(), 0.2) is None


def test_one_miss_of_a_busy_page_is_forgiven() -> None:
    watch = watching()
    assert probe(watch, 1.0, page=None) is None
    assert probe(watch, 3.0) is None
    assert probe(watch, 4.0, page=None) is None


def test_a_hung_page_is_reloaded_and_if_that_does_not_help_the_browser_killed() -> None:
    watch = watching()
    assert probe(watch, 1.0, page=None) is None
    assert probe(watch, 3.0, page=None) == Order(kind="reload", cause="page hung")
    watch.reloaded("page hung", 5.0)
    assert probe(watch, 6.0, page=None) is None
    assert probe(watch, 8.0, page=None) == Order(kind="kill", cause="page hung")


def test_a_browser_that_is_as_silent_as_its_page_is_killed_without_a_reload() -> None:
    watch = watching()
    assert probe(watch, 1.0, page=None) is None
    assert probe(watch, 3.0, browser=None) == Order(kind="kill", cause="browser hung")


def test_a_reload_that_is_not_answered_counts_as_a_missed_probe() -> None:
    watch = watching()
    assert probe(watch, 1.0, page=None) is None
    assert probe(watch, 3.0, page=None) == Order(kind="reload", cause="page hung")
    watch.reloaded("page hung", 7.0, answered=False)
    assert probe(watch, 7.0, page=None) == Order(kind="kill", cause="page hung")


def test_a_page_that_recovered_may_hang_again_without_costing_the_browser() -> None:
    watch = watching()
    for start_s in (1.0, 20.0):
        probe(watch, start_s, page=None)
        assert probe(watch, start_s + 2, page=None) == Order(kind="reload", cause="page hung")
        watch.reloaded("page hung", start_s + 4)
        assert probe(watch, start_s + 5) is None


def test_a_hung_browser_is_killed_and_the_next_one_opened_with_that_cause() -> None:
    watch = watching()
    assert probe(watch, 1.0, browser=None) is None
    assert probe(watch, 3.0, browser=None) == Order(kind="kill", cause="browser hung")
    watch.killed("browser hung", 5.0)
    assert watch.next(view(), 5.0 + AFTER_KILL_S - 0.1) is None
    assert watch.next(view(guid=None), 5.1) is None
    assert kind(watch.next(view(guid="g2", connected=False), 5.5)) == "find"
    watch.found("blank", 5.5)
    watch.next(view(guid="g2"), 5.5)
    watch.opened(SITE, None, 5.5)
    assert watch.told()[-1] == Told(what="relaunched", cause="browser hung", url=SITE)


def test_a_browser_that_went_by_itself_is_reported_as_relaunched() -> None:
    watch = watching()
    assert watch.next(view(guid=None), 1.0) is None
    assert kind(watch.next(view(guid="g2", connected=False), 2.0)) == "find"
    watch.found("blank", 2.0)
    assert watch.next(view(guid="g2"), 2.0) == Order(kind="open", url=SITE, cause="browser gone")
    watch.opened(SITE, None, 2.0)
    assert watch.told() == [Told(what="relaunched", cause="browser gone", url=SITE)]


def test_a_browser_that_does_not_even_list_its_tabs_is_killed() -> None:
    watch = Watch(2)
    now_s = 0.0
    for _ in range(3):
        assert kind(watch.next(view(connected=False), now_s)) == "find"
        assert watch.failed("find", now_s) is None
        now_s += 2.0
    assert kind(watch.next(view(connected=False), now_s)) == "find"
    assert watch.failed("find", now_s) == Order(kind="kill", cause="browser hung")


def test_a_site_that_is_down_is_tried_again_ever_more_slowly() -> None:
    watch = Watch(2)
    watch.next(view(connected=False), 0.0)
    watch.found("blank", 0.0)
    now_s, waits = 0.0, []
    for _ in range(9):
        assert kind(watch.next(view(), now_s)) == "open"
        watch.opened(SITE, "net::ERR_CONNECTION_REFUSED", now_s)
        began_s = now_s
        while watch.next(view(), now_s) is None:
            now_s += 0.5
        waits.append(now_s - began_s)
    assert waits == [0.5, 1, 2, 4, 8, 16, LONGEST_RETRY_S, LONGEST_RETRY_S, LONGEST_RETRY_S]
    assert watch.told() == []


def test_an_error_page_is_loaded_again() -> None:
    watch = watching()
    assert probe(watch, 1.0, page="chrome-error://chromewebdata/") is None
    assert watch.next(view(), 1.1) is None
    assert watch.next(view(), 1.0 + RETRY_S) == Order(kind="open", url=SITE, cause="page did not load")


def test_a_closed_socket_is_waited_for_and_then_the_page_reloaded_ever_more_slowly() -> None:
    watch = watching()
    reloads, now_s = [], 0.5
    while now_s < 100:
        order = watch.next(view(closed_for_s=now_s), now_s)
        if order is not None and order.kind == "reload":
            assert order.cause == "socket closed"
            reloads.append(now_s)
            watch.reloaded(order.cause, now_s)
        now_s += 0.5
    assert reloads == [SOCKET_CLOSED_S, 15.0, 35.0, 75.0]
    assert watch.next(view(closed_for_s=None), 100.0) != Order(kind="reload", cause="socket closed")
    assert watch.next(view(closed_for_s=5.0), 110.0) == Order(kind="reload", cause="socket closed")


def test_a_socket_is_gone_only_when_no_capture_sees_one() -> None:
    def said(sockets: int, closed_us: int | None) -> AttachedFile:
        return AttachedFile(pid=1, guid="g", since_us=0, sockets=sockets, closed_us=closed_us)

    assert closed_for_s([], 9_000_000) is None
    assert closed_for_s([said(0, None)], 9_000_000) is None
    assert closed_for_s([said(0, 2_000_000), said(0, None)], 9_000_000) == 7.0
    assert closed_for_s([said(0, 2_000_000), said(1, None)], 9_000_000) is None


def test_a_site_that_moved_is_followed() -> None:
    watch = watching()
    assert watch.next(view(site="http://site2/"), 0.5) == Order(kind="open", url="http://site2/", cause="site moved")


def test_origins_are_scheme_host_and_port() -> None:
    assert same_origin("https://rugs.fun/a?b", "https://rugs.fun")
    assert not same_origin("https://rugs.fun.evil/", "https://rugs.fun")
    assert not same_origin("http://h:1/", "http://h:2/")
