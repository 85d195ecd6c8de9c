"""Browser, captures and pilot as real processes on a page that its server steers: what begins with `!` it runs."""

from collections.abc import Iterator

import pytest

from actors.core.browser_file import read_browser_file
from tests.capture.house import BOTH, House, Website, config, served

SECRET = "planted-credential-5f1d"
STEER = "s.onmessage = e => { if (typeof e.data === 'string' && e.data[0] === '!') eval(e.data.slice(1)) };"
PAGE = f"""<script>
s = new WebSocket('ws://' + location.host + '/ws?token={SECRET}&EIO=4');
s.onopen = () => s.send('hello'); {STEER}
</script>"""
FRAME = (
    "<script>f = new WebSocket('ws://' + location.host + '/ws/frame'); f.onopen = () => f.send('from frame')</script>"
)
WORKER = (
    "w = new WebSocket('ws://' + location.host + '/ws/w'); w.onopen = () => w.send('from ' + self.constructor.name)"
)
SERVICE = f"{WORKER}; self.addEventListener('install', e => self.skipWaiting())"


@pytest.fixture(scope="module")
def site() -> Iterator[Website]:
    with served() as site:
        site.pages.update({"": PAGE, "frame": FRAME, "worker.js": WORKER, "service.js": SERVICE})
        yield site


@pytest.fixture(scope="module")
def house(site: Website, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    house = House(config(tmp_path_factory.mktemp("h"), standby=True, url=site.url(host="localhost")))
    try:
        house.start("browser", *BOTH, "pilot")
        yield house
    finally:
        house.close()


@pytest.fixture
def page(house: House, site: Website) -> Website:
    """The site with the page open in Chromium, both captures attached."""
    house.journal.until(lambda: site.sockets and attached(house) == set(BOTH), "the page, and both captures")
    return site


def attached(house: House) -> set[str]:
    browser = read_browser_file(house.config.runtime_path)
    return {name for name, guid in house.journal.attached.items() if browser is not None and guid == browser.guid}
