"""The pilot's decisions, as a playbook."""

from actors.core.browser_file import AttachedFile
from actors.pilot.actor import closed_for_s
from actors.pilot.watch import (
    AFTER_KILL_S,
    LONGEST_RETRY_S,
    PROBE_S,
    RETRY_S,
    SECOND_CAPTURE_S,
    SOCKET_CLOSED_S,
    STEADY_S,
    TAB_CLOSED_S,
    UNKNOWN_S,
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


def trouble(watch: Watch) -> str | None:
    return watch.trouble


def test_a_page_that_crashes_again_and_again_is_reloaded_ever_more_slowly_and_that_is_said() -> None:
    watch = watching()
    now_s, waits = 0.0, []
    for _ in range(9):
        began_s = now_s
        while kind(watch.next(view(crashed=True), now_s)) != "reload":
            assert trouble(watch) is not None
            now_s += 0.25
        waits.append(now_s - began_s)
        watch.reloaded("page crashed", now_s)
    assert waits == [0, 0.5, 1, 2, 4, 8, 16, LONGEST_RETRY_S, LONGEST_RETRY_S]
    assert trouble(watch) == "the page crashes again and again; it is loaded again 30 s after each crash"
    watch.next(view(), now_s + STEADY_S)
    assert trouble(watch) is None
    assert kind(watch.next(view(crashed=True), now_s + STEADY_S + 1)) == "reload"


def test_a_new_browser_does_not_wait_for_the_old_ones_crashed_page() -> None:
    watch = watching()
    watch.next(view(crashed=True), 1.0)
    watch.reloaded("page crashed", 1.0)
    assert watch.next(view(crashed=True), 1.1) is None
    assert kind(watch.next(view(guid="g2", connected=False), 1.2)) == "find"


def test_a_user_who_goes_elsewhere_in_the_tab_is_not_fought_but_it_is_said() -> None:
    watch = watching()
    for second in range(1, 30):
        assert probe(watch, float(second), page="https://me:secret@elsewhere.example/private?x#y") is None
        assert kind(watch.next(view(), second + 0.5)) is None
    assert watch.told() == [Told(what="left", cause="another site in the tab", url=SITE)]
    assert trouble(watch) == (
        "the tab shows https://elsewhere.example, not the game; go back to http://site/, "
        "or close the tab to have the game opened again"
    )
    probe(watch, 30.0)
    assert watch.told() == [Told(what="returned", cause="back at the site", url=SITE)]
    assert trouble(watch) is None


def test_a_site_that_sends_to_another_address_is_at_home_where_its_socket_is() -> None:
    watch = watching()
    watch.next(view(sockets=1), 0.5)
    order = watch.next(view(sockets=1), 1.0)
    assert kind(order) == "probe_browser"
    watch.probed("probe_browser", SITE, 1.0)
    watch.next(view(sockets=1), 1.0)
    watch.probed("probe_page", "http://www.site/", 1.0)
    assert (watch.told(), trouble(watch)) == ([], None)


def test_where_captures_are_blind_the_page_is_asked_and_reloaded_when_it_has_no_socket() -> None:
    watch = watching()
    blind = view(blind=True)
    now_s, counts = 0.5, []
    while kind(order := watch.next(blind, now_s)) != "reload":
        if kind(order) == "count_sockets":
            counts.append(now_s)
            watch.counted(0, now_s)
        elif kind(order) == "probe_browser":
            watch.probed("probe_browser", SITE, now_s)
        elif kind(order) == "probe_page":
            watch.probed("probe_page", SITE, now_s)
        now_s += 0.25
    assert order == Order(kind="reload", cause="socket closed")
    assert counts[0] == 0.5 + PROBE_S
    assert now_s == counts[0] + SOCKET_CLOSED_S


def test_a_page_that_has_a_socket_or_does_not_say_is_left_alone() -> None:
    for count in (1, None):
        watch = watching()
        now_s = 0.5
        while now_s < 30:
            order = watch.next(view(blind=True), now_s)
            assert kind(order) != "reload"
            if kind(order) == "count_sockets":
                watch.counted(count, now_s)
            elif order is not None:
                watch.probed(order.kind, SITE, now_s)
            now_s += 0.25


def test_a_page_whose_socket_nobody_saw_opening_is_loaded_again() -> None:
    watch = watching()
    assert kind(watch.next(view(suspects=1, sockets=1), 20.0)) != "reload", "a known one is there"
    assert kind(watch.next(view(suspects=1), 21.0)) != "reload"
    assert watch.next(view(suspects=1), 21.0 + UNKNOWN_S) == Order(kind="reload", cause="socket not known")
    watch.reloaded("socket not known", 22.0)
    assert kind(watch.next(view(suspects=1), 22.0 + 2 * UNKNOWN_S)) != "reload", "it has its time"
