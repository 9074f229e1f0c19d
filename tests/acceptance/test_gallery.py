"""A run's gallery in a real browser, opened as a file: no server, no network."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement

from producer.gallery.gallery import Gallery
from tests.support.browser import complaints, emulate, require_chromium, running_browser, url
from tests.support.cli import row as edit
from tests.support.galleries import edits, picture, run_of
from tests.support.waiting import wait_until
from worker.contract.row_warnings import RowWarning

#: What would run, or become a part of the page, if anything of a row were taken for more than text.
EVIL = "</script><script>window.hit = 1</script><img src=x onerror='window.hit = 2'>\u2028\"'<b>bold</b>"


@pytest.fixture(scope="module")
def browser() -> Iterator[Chrome]:
    """Start one browser for all tests."""
    require_chromium()
    with running_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the gallery of a run whose rows ended in every way: 3 and 4 failed, 3, 5 and 7 have warnings, 6 was kept."""
    here = tmp_path_factory.mktemp("mixed")
    picture(here / "a.png", size=(400, 300))
    evil = "<img src=x onerror='window.hit = 3'>.png"
    rows = [
        *edits(3),
        edit(evil, EVIL),
        EVIL,
        edit("a.png", "Warn of it."),
        {**edit("a.png", "Keep it."), "output_image": "a.png"},
        edit("a.png", EVIL),
    ]
    folder = run_of(
        here,
        rows,
        failed={3: f"image {evil}: no such file ({EVIL})."},
        warned={5: RowWarning.INSTRUCTION_CUT},
        seconds={0: 3.0, 1: 1.0, 2: 2.0, 5: 0.5, 7: 0.1},
    )
    Gallery(folder).make()
    return folder / "gallery/index.html"


@pytest.fixture
def page(browser: Chrome, mixed: Path) -> Chrome:
    """Open the mixed run's gallery with nothing marked."""
    emulate(browser)
    browser.get(url(mixed))
    if browser.execute_script("return localStorage.length"):  # of the test before
        browser.execute_script("localStorage.clear()")
        browser.refresh()
    wait_until(lambda: len(shown(browser)) == 8, "all rows are shown")
    return browser


def cards(browser: Chrome) -> list[WebElement]:
    """Return the cards of the page, in the order in which they stand there."""
    found = browser.find_elements(By.CSS_SELECTOR, "#list .card")
    return sorted(found, key=lambda card: (card.rect["y"], card.rect["x"]))


def shown(browser: Chrome) -> list[int]:
    """Return the numbers of the rows that are shown, in order."""
    places = browser.execute_script(
        "return [...document.querySelectorAll('#list .card')].map((card) => {"
        "const place = card.getBoundingClientRect(); return [place.y, place.x, Number(card.dataset.row)]; })"
    )
    return [number for _, _, number in sorted(places)]


def press(browser: Chrome, *keys: str) -> None:
    """Press keys, one after the other."""
    ActionChains(browser).send_keys(*keys).perform()


def find(browser: Chrome, selector: str) -> WebElement:
    """Return one element of the page."""
    return browser.find_element(By.CSS_SELECTOR, selector)


def cut(element: WebElement) -> Any:
    """Return where the divider of a pair of pictures stands."""
    return element.parent.execute_script("return getComputedStyle(arguments[0]).getPropertyValue('--cut')", element)


def test_every_row_is_there_with_its_pictures(page: Chrome) -> None:
    """Opened as a file, the page shows all rows and loads all pictures, and the browser has nothing to complain of."""
    assert shown(page) == list(range(8))
    broken = "return [...document.images].filter((image) => !image.complete || !image.naturalWidth).length"
    wait_until(lambda: page.execute_script(broken) == 0, "all pictures are loaded")
    assert [len(card.find_elements(By.TAG_NAME, "img")) for card in cards(page)] == [2, 2, 2, 0, 0, 2, 2, 2]
    assert page.title == "run – gallery"
    assert complaints(page) == []


def test_what_a_row_holds_is_text(page: Chrome) -> None:
    """Instructions, errors, file names and broken lines are shown as they are; nothing of them runs or is a tag."""
    for number in (3, 4, 7):
        assert EVIL in page.execute_script(f"return document.querySelector('[data-row=\"{number}\"] .text').title")
    find(page, '[data-row="3"]').click()
    wait_until(lambda: EVIL in find(page, "#facts .error").get_property("textContent"), "the error is shown")
    assert page.execute_script("return [typeof window.hit, document.querySelectorAll('b').length]") == ["undefined", 0]
    assert complaints(page) == []


def test_the_page_can_neither_run_nor_fetch_what_is_not_its_own(page: Chrome) -> None:
    """Its policy refuses a script in its midst, code in a text, and every address but a file's."""
    refused = page.execute_async_script(
        "const done = arguments[0], refused = [];"
        "addEventListener('securitypolicyviolation', (event) => refused.push(event.effectiveDirective));"
        "const script = document.createElement('script');"
        "script.textContent = 'window.hit = 4'; document.body.append(script);"
        "new Image().src = 'http://127.0.0.1:9/'; fetch('http://127.0.0.1:9/').catch(() => {});"
        "setTimeout(() => done([refused.sort(), typeof window.hit]), 50)"
    )
    assert refused == [["connect-src", "img-src", "script-src-elem"], "undefined"]
    complaints(page)


def test_rows_are_filtered_and_sorted(page: Chrome) -> None:
    """By what became of them, by words in any of their texts, and by seconds, rows without any last."""
    for kind, rows in {"failed": [3, 4], "warning": [3, 5, 7], "kept": [6], "done": [0, 1, 2, 5, 7]}.items():
        find(page, f".tab.{kind}").click()
        assert shown(page) == rows
        assert find(page, f".tab.{kind} .count").text == str(len(rows))
    find(page, ".tab.all").click()
    search = find(page, "#search")
    for words, rows in {"number EDIT 1": [1], "#2": [2], "no such row": []}.items():
        search.send_keys(Keys.CONTROL, "a")
        search.send_keys(words)
        wait_until(lambda rows=rows: shown(page) == rows, f"the rows of {words} are shown")
    assert find(page, "#empty").text == "No row is like that."
    search.send_keys(Keys.ESCAPE)
    wait_until(lambda: len(shown(page)) == 8, "all rows are back")
    find(page, "#sort option[value=seconds]").click()
    assert shown(page) == [7, 5, 1, 3, 2, 0, 4, 6]
    find(page, "#order").click()
    assert shown(page) == [0, 2, 1, 3, 5, 7, 4, 6]


def test_the_divider_follows_the_pointer(page: Chrome) -> None:
    """Over a card it is where the pointer is, and in the middle again where that has left."""
    pair = find(page, '[data-row="0"] .compare')
    assert cut(pair) == "50%"
    ActionChains(page).move_to_element_with_offset(pair, pair.rect["width"] // 4, 0).perform()
    assert float(cut(pair).rstrip("%")) == pytest.approx(75, abs=1)
    ActionChains(page).move_to_element(find(page, "#search")).perform()
    assert cut(pair) == "50%"


def test_a_row_opens_in_large(page: Chrome) -> None:
    """With all that is known of it, the picture itself, and a slider; by keys one goes on, zooms, and closes it."""
    press(page, "j", "j", Keys.ENTER)
    assert find(page, "#facts h2").text == "Row 1"
    facts = find(page, "#facts").text
    assert all(word in facts for word in ("Edit number 1.", "a.png", "gpu0@here", "304 × 208"))
    assert page.execute_script("return document.querySelector('#stage img.after').src").endswith("sample_1_0.png")
    slider = find(page, "#slider")
    page.execute_script("arguments[0].value = 20; arguments[0].dispatchEvent(new Event('input'))", slider)
    pair = "#stage .compare"
    assert cut(find(page, pair)) == "20%"
    press(page, Keys.ARROW_RIGHT)
    assert (find(page, "#facts h2").text, find(page, "#place").text) == ("Row 2", "3 of 8")
    assert cut(find(page, pair)) == "20%"
    ActionChains(page).key_down("b").perform()
    assert cut(find(page, pair)) == "100%"
    ActionChains(page).key_up("b").perform()
    assert cut(find(page, pair)) == "20%"
    wait_until(lambda: page.execute_script("return document.querySelector('#stage img.after').naturalWidth"), "loaded")
    press(page, "z")
    assert [find(page, pair).rect[side] for side in ("width", "height")] == [60, 40]
    press(page, Keys.ESCAPE)
    assert not find(page, "#viewer").is_displayed()
    assert complaints(page) == []


def test_marked_rows_are_an_option_for_a_command(page: Chrome) -> None:
    """They are marked by key and by click, copied as `--rows`, and still marked when the page is opened again."""
    press(page, "j", "m", "j", "j", "m", "j", "m")
    ActionChains(page).move_to_element(find(page, '[data-row="4"]')).perform()
    find(page, '[data-row="4"] .mark').click()
    assert find(page, "#marked-rows").get_property("value") == "--rows 0,2-4"
    find(page, "#copy").click()
    wait_until(lambda: find(page, "#copy").text == "Copied", "it is copied")
    search = find(page, "#search")
    search.send_keys(Keys.CONTROL, "v")
    assert search.get_property("value") == "--rows 0,2-4"
    page.refresh()
    wait_until(lambda: len(shown(page)) == 8, "all rows are shown again")
    find(page, ".tab.marked").click()
    assert shown(page) == [0, 2, 3, 4]
    find(page, "#clear").click()
    assert not find(page, "#marked").is_displayed()
    find(page, ".tab.failed").click()
    press(page, "j", "m")
    find(page, "#mark-shown").click()
    assert find(page, "#marked-rows").get_property("value") == "--rows 3-4"


def test_it_is_dark_where_the_machine_is(page: Chrome) -> None:
    """And light where it is light."""
    brightness = []
    for dark in (False, True):
        emulate(page, dark=dark)
        colour = page.execute_script("return getComputedStyle(document.body).backgroundColor")
        brightness.append(sum(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")))
    assert brightness[0] > 700
    assert brightness[1] < 150


@pytest.mark.parametrize(("width", "columns"), [(360, 1), (1280, 3), (2560, 8)])
def test_it_fits_the_screen(page: Chrome, width: int, columns: int) -> None:
    """As many columns as there is room for, and nothing to scroll sideways for, in the list and in large."""
    emulate(page, width=width, height=800)
    across = (
        "return new Set([...document.querySelectorAll('.card')].map((card) => card.getBoundingClientRect().x)).size"
    )
    wait_until(lambda: page.execute_script(across) == columns, "the columns fit")
    press(page, "j", "m")
    assert page.execute_script("return document.documentElement.scrollWidth") <= width
    assert find(page, "#clear").rect["x"] + find(page, "#clear").rect["width"] <= width
    press(page, Keys.ENTER)
    wide = "return [...document.querySelectorAll('#viewer, #viewer *')].map((one) => one.getBoundingClientRect().right)"
    assert max(page.execute_script(wide)) <= width
    press(page, Keys.ESCAPE)


def test_of_many_rows_few_are_in_the_page(browser: Chrome, tmp_path: Path) -> None:
    """A list of 1500 rows holds the cards that can be seen, at its end those of its end."""
    picture(tmp_path / "a.png")
    rows = [edit("a.png", f"Row {number}.") for number in range(1500)]
    folder = run_of(tmp_path, rows, failed=dict.fromkeys(range(1500), "broken"))
    Gallery(folder).make()
    browser.get(url(folder / "gallery/index.html"))
    wait_until(lambda: find(browser, ".tab.all .count").text == "1,500", "all rows are there")
    assert 0 in shown(browser)
    assert len(cards(browser)) < 60
    browser.execute_script("window.scrollTo(0, document.body.scrollHeight)")
    wait_until(lambda: 1499 in shown(browser), "the end is shown")
    assert len(cards(browser)) < 60
    find(browser, "#search").send_keys("#1234")
    wait_until(lambda: shown(browser) == [1234], "a row is found that was not in the page")


def test_it_follows_a_run(browser: Chrome, tmp_path: Path) -> None:
    """Rows come into the open page as they are answered, and it says how many are to come."""
    picture(tmp_path / "a.png")
    folder = run_of(tmp_path, edits(3), waiting=(1, 2))
    looks = []

    def look(_: float) -> None:
        if not looks:
            browser.get(url(folder / "gallery/index.html"))
        looks.append(len(looks) + 1)
        wait_until(lambda: shown(browser) == list(range(len(looks))), "the row is there")
        note = ["2 rows to come", "1 row to come"][len(looks) - 1]
        wait_until(lambda: find(browser, "#note").text == note, "the rest is counted")
        assert find(browser, "#live").is_displayed()
        run_of(tmp_path, edits(3), waiting=(2,) if len(looks) == 1 else ())

    Gallery(folder).follow(look)
    wait_until(lambda: shown(browser) == [0, 1, 2] and not find(browser, "#live").is_displayed(), "the run has ended")
    assert complaints(browser) == []


def test_what_was_made_from_an_instruction_alone_is_no_after(browser: Chrome, tmp_path: Path) -> None:
    """It is said to be made; a row that failed says why, and that there is no picture."""
    prompt = {"conversations": [{"role": "user", "content": "A house."}]}
    made = {"model": "tiny-klein", "image_gen_task": "text2image", "size": "96x64"}
    folder = run_of(tmp_path, [prompt, {**prompt, "images": "a.png"}], **made)
    Gallery(folder).make()
    emulate(browser)
    browser.get(url(folder / "gallery/index.html"))
    wait_until(lambda: len(shown(browser)) == 2, "both rows are shown")
    one, failed = cards(browser)
    wait_until(
        lambda: [tag.text for tag in one.find_elements(By.CSS_SELECTOR, ".tag")] == ["made"], "its picture is there"
    )
    assert "There is no picture." in failed.text
    assert "names an image, and text2image takes none" in failed.text
