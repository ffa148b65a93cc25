"""The page in a real headless Chromium: it draws, it says what the summary says, it is used by keyboard and mouse, and data stays text."""

import io
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from simnet.report.page import html
from tests.fakes import summarised
from tests.report.made import run_folder
from tests.report.test_page import HOSTILE, network_only
from tests.story import story

webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: it is one of the development requirements")
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
DRIVER = shutil.which("chromedriver")
pytestmark = [
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="no Chromium with its driver: Debian's packages chromium and chromium-driver"),
    pytest.mark.xdist_group("browser"),
]
ARROW_RIGHT = "\ue014"
WAIT_S = 20


@dataclass
class Tab:
    """One tab of the browser."""

    driver: Any

    def run(self, script: str, *words: object) -> Any:
        return self.driver.execute_script(script, *words)

    def show(self, page: Path, width: int = 1400, scheme: str = "light") -> None:
        """Loads a page at a width, in light or dark, and waits until it says that it is put together."""
        self.driver.get_log("browser")
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.driver.get(page.as_uri())
        self.until(lambda: self.run("return document.documentElement.dataset.ready") == "yes")
        self.run("document.documentElement.style.scrollBehavior = 'auto'")

    def until(self, held: Callable[[], object]) -> None:
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(self.driver, WAIT_S, 0.05).until(lambda _: held())

    def all(self, selector: str) -> list[Any]:
        found: list[Any] = self.driver.find_elements("css selector", selector)
        return found

    def one(self, selector: str) -> Any:
        [found] = self.all(selector)
        return found

    def text(self, selector: str) -> str:
        return str(self.one(selector).text)

    def complaints(self) -> list[str]:
        return [entry["message"] for entry in self.driver.get_log("browser")]


@pytest.fixture(scope="module")
def tab() -> Iterator[Tab]:
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run"):
        options.add_argument(word)
    options.binary_location = CHROMIUM
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    yield Tab(driver)
    driver.quit()


def broken(summary: dict[str, Any]) -> None:
    first = {"at_ms": 1250.0, "nodes": [1], "detail": "two blocks at height 1"}
    summary["checks"]["agreement"] = {"held": False, "status": "broken", "blocks": 3, "first": first}


def as_expected(summary: dict[str, Any]) -> None:
    broken(summary)
    summary["simnet"]["expectation"] = {"met": True}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A page for each kind of report."""
    root = tmp_path_factory.mktemp("reports")
    folders = {
        "one": [run_folder(root / "one")],
        "broken": [run_folder(root / "broken", exit_code=1, change=broken)],
        "expected": [run_folder(root / "expected", change=as_expected)],
        "several": [run_folder(root / f"seed{seed}", seed=seed) for seed in (1, 2)] + [run_folder(root / "other", name="other")],
        "hostile": [run_folder(root / "hostile", name=HOSTILE, regions=(HOSTILE, "{a|b}", "<b>x</b>", "WEST"))],
        "network": [run_folder(root / "network", change=network_only)],
    }
    made = {}
    for name, runs in folders.items():
        made[name] = root / f"{name}.html"
        made[name].write_text(html(runs))
    return made


def colours(picture: bytes) -> int:
    """How many colours a picture has."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    return len(image.getcolors(image.width * image.height) or [])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 400, 1400, 1600])
def test_every_chart_is_drawn_and_nothing_is_wider_than_the_screen(tab: Tab, pages: dict[str, Path], width: int, scheme: str) -> None:
    tab.show(pages["one"], width, scheme)
    assert tab.complaints() == []
    assert tab.run("return document.documentElement.scrollWidth") <= width
    charts = tab.all(".chart, #graph")
    assert len(charts) == 11, "six and the incidents over time, curves, boxes, refused proofs, the network"
    for chart in charts:
        assert colours(chart.screenshot_as_png) > 12, chart.get_attribute("aria-label")
    assert len(tab.all("h2")) == 7 and all(section.is_displayed() for section in tab.all("main > section"))


def test_light_and_dark_differ_and_can_be_chosen(tab: Tab, pages: dict[str, Path]) -> None:
    back = "return getComputedStyle(document.body).backgroundColor"
    tab.show(pages["one"], scheme="dark")
    dark = tab.run(back)
    chart = tab.one("#chart-gap .chart")
    before = chart.screenshot_as_png
    tab.one("#theme option[value=light]").click()
    assert tab.run(back) != dark and chart.screenshot_as_png != before
    tab.show(pages["one"], scheme="light")
    assert tab.run(back) != dark


def test_figures_are_those_of_the_summary(tab: Tab, pages: dict[str, Path]) -> None:
    summary = summarised(story())
    tab.show(pages["one"])
    figures = {tile.get_attribute("data-figure"): tile for tile in tab.all("[data-figure]")}
    assert figures["blocks proven"].text == str(summary["finality"]["blocks_proven"]) == "1"
    assert figures["proposal to proven, median"].text == "250 ms" and summary["finality"]["proven_ms"]["p50"] == 250
    assert float(figures["propagation, 95 %"].get_attribute("data-value")) == summary["propagation"]["p95_ms"]
    assert figures["proofs refused"].text == "1"


def test_tables_hold_what_the_charts_show(tab: Tab, pages: dict[str, Path]) -> None:
    tab.show(pages["one"])
    tab.one("#chart-gap summary").click()
    tab.until(lambda: tab.all("#chart-gap tbody tr"))
    rows = [[cell.text for cell in row.find_elements("css selector", "td")] for row in tab.all("#chart-gap tbody tr")[:2]]
    assert rows[0] == ["0.5", "0.05"]
    tab.one("#chart-rejected summary").click()
    tab.until(lambda: tab.all("#chart-rejected tbody tr"))
    assert tab.text("#chart-rejected tbody tr").split() == ["flipped_bytes", "BadProof", "1", "1", "1", "2", "2"]


def test_a_failure_comes_first_and_leads_to_its_moment(tab: Tab, pages: dict[str, Path]) -> None:
    tab.show(pages["broken"])
    assert tab.text("#verdict").startswith("✗ The run ended with code 1: something failed; 1 of ") and "bad" in tab.one(
        "#verdict"
    ).get_attribute("class")
    first = tab.all("#verdicts tbody tr")[0]
    assert first.text.startswith("✗ failed") and "two blocks at height 1" in first.text
    before = tab.one("#chart-gap .chart").screenshot_as_png
    first.find_element("css selector", "a.moment").click()
    assert "moment 1.250 s" in tab.text("#span")
    assert abs(tab.run("return document.getElementById('timeline').getBoundingClientRect().top")) < 5
    assert tab.one("#chart-gap .chart").screenshot_as_png != before
    assert tab.run("return document.activeElement.textContent") == "Whole run"


def test_a_break_that_was_to_be_is_no_failure_of_the_run(tab: Tab, pages: dict[str, Path]) -> None:
    tab.show(pages["expected"])
    assert tab.text("#verdict").startswith("! The run ended with code 0: it broke as the scenario expects; 1 of ")
    assert "warn" in tab.one("#verdict").get_attribute("class")


def test_zoom_works_by_keyboard_and_moves_all_charts(tab: Tab, pages: dict[str, Path]) -> None:
    tab.show(pages["one"])
    tab.one("button[aria-label='Zoom in']").send_keys("\n")
    assert tab.text("#span") == "2.88 – 8.63 s"
    spans = tab.run("return timelineCharts.map((entry) => entry.chart.getOption().dataZoom[0].startValue)")
    assert len(spans) == 7 and {round(value, 3) for value in spans} == {2.875}
    tab.one("button[aria-label='Show the whole run']").send_keys("\n")
    assert tab.text("#span") == "0.00 – 11.50 s"


def test_the_slider_is_moved_by_keys(tab: Tab, pages: dict[str, Path]) -> None:
    tab.show(pages["one"])
    slider = tab.one("#slider")
    assert tab.text("#now") == "0.000 s"
    for _ in range(10):
        slider.send_keys(ARROW_RIGHT)
    assert tab.text("#now") == slider.get_attribute("aria-valuetext") == "0.115 s"


def test_a_cut_is_told_and_seen(tab: Tab, pages: dict[str, Path]) -> None:
    tab.show(pages["one"])
    graph = tab.one("#graph")
    tab.run("moveTo(100)")
    assert tab.text("#told") == "All links are up."
    whole = graph.screenshot_as_png
    tab.run("moveTo(300)")
    assert tab.text("#told") == "Links down: 1 by partition." and graph.screenshot_as_png != whole


def test_a_click_on_a_node_shows_what_it_has_then(tab: Tab, pages: dict[str, Path]) -> None:
    from selenium.webdriver.common.action_chains import ActionChains

    tab.show(pages["one"])
    graph = tab.one("#graph")
    tab.run("arguments[0].scrollIntoView({block: 'center'})", graph)
    find = "const n = replay.entry.chart.getModel().getSeriesByIndex(0).getData().getItemLayout(1); return replay.entry.chart.convertToPixel({seriesIndex: 0}, n)"
    x, y = tab.run(find)
    ActionChains(tab.driver).move_to_element_with_offset(graph, x - graph.size["width"] / 2, y - graph.size["height"] / 2).click().perform()
    tab.until(lambda: tab.one("#node").get_attribute("value") == "1")
    assert view(tab)["committed height"] == "0" and view(tab)["region"] == "WEST"
    tab.run("moveTo(1000)")
    assert {name: view(tab)[name] for name in ("committed height", "proofs refused", "links up", "backend")} == {
        "committed height": "1",
        "proofs refused": "1",
        "links up": "1 of 2",
        "backend": "plonky3",
    }


def view(tab: Tab) -> dict[str, str]:
    names, values = ([part.text for part in tab.all(f"#view {kind}")] for kind in ("dt", "dd"))
    return dict(zip(names, values, strict=True))


def test_a_message_spreads_and_a_forgery_stops(tab: Tab, pages: dict[str, Path]) -> None:
    tab.show(pages["one"])
    watch(tab, "1.000 s · transaction by node 0")
    assert tab.text("#told").startswith("Not published yet.")
    assert told_at(tab, 400).startswith("transaction by node 0: at 1 of 3 other nodes.")
    assert told_at(tab, 1000).startswith("transaction by node 0: at 3 of 3 other nodes.")
    tab.one("#node option[value='2']").click()
    assert view(tab)["the message"] == "after 30 ms from node 1, no verdict"
    watch(tab, "6.000 s · flipped_bytes (transaction) by node 0")
    assert told_at(tab, 1000).startswith("flipped_bytes (transaction) by node 0: at 1 of 3 other nodes, of which 1 refused it.")


def watch(tab: Tab, name: str) -> None:
    next(option for option in tab.all("#watch option") if option.text == name).click()


def told_at(tab: Tab, tick: int) -> str:
    tab.run("moveTo(arguments[0])", tick)
    return tab.text("#told")


def test_it_plays_and_pauses(tab: Tab, pages: dict[str, Path]) -> None:
    tab.show(pages["one"])
    tab.one("#play").click()
    tab.until(lambda: int(tab.one("#slider").get_attribute("value")) > 0)
    tab.one("#play").click()
    stopped = tab.text("#now")
    assert tab.text("#play") == "▶ Play" and stopped != "0.000 s"
    tab.run("return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert tab.text("#now") == stopped


def test_several_runs_lie_over_each_other_and_the_stage_is_the_chosen_ones(tab: Tab, pages: dict[str, Path]) -> None:
    tab.show(pages["several"])
    assert tab.complaints() == []
    assert [key.text for key in tab.all("#chart-gap .keys li")] == ["story", "other"]
    assert [head.text for head in tab.all("#figures th")] == ["figure", "story", "other"]
    tab.one("#timeline-tools select option[value='2']").click()
    assert "other, seed 7" in tab.text("#faults") and tab.run("return chosen.run") == 2
    for chart in tab.all(".chart, #graph"):
        assert colours(chart.screenshot_as_png) > 12


def test_hostile_names_are_text(tab: Tab, pages: dict[str, Path]) -> None:
    tab.show(pages["hostile"])
    assert tab.complaints() == []
    assert tab.text("h1") == HOSTILE and tab.all("img") == []
    assert f"node 0 ({HOSTILE})" in [option.text for option in tab.all("#node option")]
    tab.one("#node option[value='2']").click()
    assert view(tab)["region"] == "<b>x</b>"
    tab.run("replay.entry.chart.dispatchAction({type: 'showTip', seriesIndex: 0, dataIndex: 0})")
    tab.until(lambda: any(HOSTILE in part.text for part in tab.all(".tip")))
    assert tab.run("return document.scripts.length") == 3 and tab.all("main b b, main script") == []


def test_a_run_without_a_chain_leaves_its_parts_out_and_says_so(tab: Tab, pages: dict[str, Path]) -> None:
    tab.show(pages["network"])
    assert tab.complaints() == []
    assert "had no chain" in tab.text("#proofs") and "had no chain" in tab.text("#rejected") and "had no chain" in tab.text("#timeline")
    assert [chart.get_attribute("id") for chart in tab.all("#timeline figure")] == ["chart-bytes", "chart-incidents"]


def test_what_a_reader_hears_is_there(tab: Tab, pages: dict[str, Path]) -> None:
    tab.show(pages["one"])
    labels = [chart.get_attribute("aria-label") for chart in tab.all(".chart, #graph")]
    assert all(labels) and "largest 6.5 s" in labels[0] and "4 nodes and 3 links" in labels[-1]
    unnamed = "return [...document.querySelectorAll('button, select, input')].filter((one) => !(one.labels?.length || one.ariaLabel || one.textContent.trim())).length"
    assert tab.run(unnamed) == 0 and tab.run("return document.documentElement.lang") == "en"
