# SPDX-License-Identifier: MIT
"""The site in a browser: what an operator sees, clicks, types, copies, and hears."""

import json
import os
import re
import time

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select
from selenium.webdriver.support.wait import WebDriverWait

from browser import served
from place import DOMAINS, HOSTILE, Place

PATIENCE_S = 60
PAGES = ["index.html", *(f"domain.html#{name}" for name in
                         ("harbour.example", "museum.example", "tailor.example", "orchard.example"))]


class Tab:
    """A page, which is ready when its headline is there and its plots are drawn."""

    def __init__(self, driver, base):
        self.driver, self.base = driver, base

    def emulate(self, width=1440, scheme="light"):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def wait(self, condition):
        return WebDriverWait(self.driver, PATIENCE_S, 0.05).until(lambda driver: condition())

    def open(self, page):
        self.driver.get("about:blank")
        for kind in ("browser", "performance"):
            self.driver.get_log(kind)  # of the pages before
        self.driver.get(self.base + page)
        return self.ready()

    def ready(self):
        self.wait(lambda: self.text("h1") not in ("", "Loading …"))
        self.wait(lambda: self.driver.execute_script(
            "return [...document.querySelectorAll('canvas')].every(each => Chart.getChart(each))"))
        return self

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector):
        return self.one(selector).text

    def button(self, label):
        return self.one(f'button[aria-label^="{label}"]')

    def focused(self):
        return self.driver.switch_to.active_element

    def panel(self, title):
        return next(panel for panel in self.all(".panel")
                    if panel.find_element(By.CSS_SELECTOR, "h2").text == title)

    def complaints(self):
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def addresses(self):
        messages = [json.loads(entry["message"])["message"]
                    for entry in self.driver.get_log("performance")]
        return [message["params"]["request"]["url"] for message in messages
                if message["method"] == "Network.requestWillBeSent"]


@pytest.fixture(name="tab")
def tab_of_a_web_server(chromium, place):
    with served(place.site) as base:
        tab = Tab(chromium, base)
        tab.emulate()
        yield tab


def tab_of(chromium, place):
    """The pages from their folder, without a web server."""
    tab = Tab(chromium, f"file://{place.site}/")
    tab.emulate()
    return tab


@pytest.fixture(name="folder_tab")
def tab_of_a_folder(chromium, place):
    return tab_of(chromium, place)


def groups(tab):
    """{urgency: {(title, advice): [domains]}} as the front page shows them."""
    return {section.find_element(By.CSS_SELECTOR, "h2").text: {
        (group.find_element(By.CSS_SELECTOR, "h3").text,
         group.find_element(By.CSS_SELECTOR, ".todo").text):
            [row.text.split("\n")[0] for row in group.find_elements(By.CSS_SELECTOR, "li")]
        for group in section.find_elements(By.CSS_SELECTOR, ".group")}
        for section in tab.all(".urgency")}


def test_front_page(tab):
    """What loses mail comes first, each with what to do."""
    tab.open("index.html")
    assert tab.text("h1") == "Mail of 1 domain is being lost"
    shown = groups(tab)
    assert list(shown) == ["Mail is being lost", "Senders do not get the policy",
                           "Mode enforce would lose mail", "Needs work soon", "Warnings", "Can be done now"]
    assert shown["Mail is being lost"] == {
        ("In mode enforce, senders deliver no mail to this MX host.",
         "Add the MX host to the policy, then publish the new id."): ["harbour.example"],
        ("Senders report that mail fails.",
         "Compare the MX records of the domain with the mx of its policy, and check the certificates "
         "of the MX hosts."): ["harbour.example"]}
    assert {title: domains for (title, _), domains in shown["Senders do not get the policy"].items()} == {
        "The policy host's certificate has expired: senders refuse it.": ["school.example"],
        "The policy host has no certificate: senders cannot fetch the policy.": ["museum.example"],
        "Senders cannot fetch the policy.": ["museum.example"]}
    lost = "By the reports, mode enforce would lose mail."
    assert shown["Mode enforce would lose mail"] == {
        (lost, "Renew the certificate of the MX host, and reload the mail server after each renewal."):
            ["garage.example"],
        (lost, "Check that the policy host answers on port 443, on IPv4 and IPv6, from everywhere."):
            ["museum.example"]}
    assert list(shown["Needs work soon"].values()) == [["gone.example"]]
    safe = next(domains for (title, _), domains in shown["Can be done now"].items()
                if title == "By the reports, mode enforce is safe.")
    assert safe == ["florist.example", "tailor.example"]
    assert all(advice for urgency in shown.values() for _, advice in urgency)
    assert tab.complaints() == []


def test_totals(tab):
    tab.open("index.html")
    totals = {each.find_element(By.CSS_SELECTOR, "h2").text: each.text.split("\n")[1:]
              for each in tab.all(".total")}
    assert totals["Domains"] == ["11", "enforce", "4", "testing", "6", "none", "1"]
    assert totals["Good certificates"] == ["9 of 11", "missing", "1", "expired", "1", "good", "9"]
    assert totals["Safe to enforce"] == [
        "6 of 11", "failures", "3", "enforce is safe", "6", "no data", "2"]
    assert totals["Policies fetched"] == [
        "2 of 11", "current one", "2", "not yet", "9"]
    assert totals["Sessions in 14 days"][1::2] == ["failed", "succeeded"]


def test_links(tab):
    """Every link of the front page leads to the page of that domain, and back."""
    tab.open("index.html")
    names = list(dict.fromkeys(link.text for link in tab.all("#attention a")))
    assert len(names) >= 8
    for name in names:
        tab.one(f'#attention a[href="domain.html#{name}"]').click()
        tab.wait(lambda: tab.text("h1") == name)
        tab.one("a.brand").click()
        tab.wait(lambda: "is being lost" in tab.text("h1"))
    assert tab.complaints() == []


@pytest.mark.parametrize("page", PAGES)
def test_origin(tab, page):
    """Nothing is asked of anybody else, and of this server only what is there."""
    tab.open(page)
    addresses = tab.addresses()
    assert addresses and all(address.startswith((tab.base, "about:")) for address in addresses)
    assert tab.complaints() == []


def test_search(tab):
    tab.open("index.html")
    find = tab.one("#find")
    find.send_keys("ER.ex")
    tab.wait(lambda: tab.text("#found-count") == "0 domains found")
    find.clear()
    find.send_keys("BÜ")
    tab.wait(lambda: tab.text("#found-count") == "0 domains found")
    find.send_keys(Keys.ESCAPE)
    assert not tab.one("#found").is_displayed()
    find.send_keys("Ar")
    tab.wait(lambda: tab.text("#found-count") == "4 domains found")
    assert [link.text for link in tab.all("#found-list a")] == [
        "garage.example", "harbour.example", "library.example", "orchard.example"]
    find.send_keys(Keys.ARROW_DOWN)
    assert tab.focused().text == "garage.example"
    find.clear()
    find.send_keys("xn--")
    tab.wait(lambda: tab.text("#found-count") == "1 domain found")
    find.send_keys(Keys.ENTER)
    tab.wait(lambda: tab.text("h1") == "xn--bcher-kva.example")


def test_search_from_a_domain(tab):
    """From one domain's page to another's, which is the same page."""
    tab.open("domain.html#bakery.example")
    tab.one("#find").send_keys("clinic")
    tab.wait(lambda: tab.all("#found-list a"))
    tab.one("#found-list a").click()
    tab.wait(lambda: tab.text("h1") == "clinic.example")
    assert tab.driver.title == "clinic.example · MTA-STS status"
    assert not tab.one("#found").is_displayed()
    tab.driver.back()
    tab.wait(lambda: tab.text("h1") == "bakery.example")


@pytest.mark.parametrize("name, badges, title", [
    ("harbour.example", ["mode enforce", "failures reported", "certificate good",
                         "1 error in the last check"],
     "In mode enforce, senders deliver no mail to this MX host."),
    ("museum.example", ["mode testing", "failures reported", "certificate missing",
                        "1 error in the last check"], "Senders cannot fetch the policy."),
    ("school.example", ["mode testing", "safe by the reports", "certificate expired"],
     "The policy host's certificate has expired: senders refuse it."),
    ("florist.example", ["mode testing", "safe by the reports", "certificate good"],
     "Enforce the policy now"),
    ("library.example", ["mode testing", "no data from reports", "certificate good"],
     "Wait with mode enforce"),
    ("bakery.example", ["mode enforce", "safe by the reports", "certificate good"], "Nothing to change"),
    ("orchard.example", ["mode none", "no data from reports", "certificate good"],
     "Remove the domain now"),
])
def test_next_step(tab, name, badges, title):
    tab.open(f"domain.html#{name}")
    assert [badge.text for badge in tab.all(".badges .badge")] == badges
    assert tab.text(".next > h3") == title


def test_domain_page(tab, place):
    tab.open("domain.html#harbour.example")
    policy = tab.panel("Policy").text
    assert place.id_of("harbour.example") in policy and "mode: enforce" in policy
    check = tab.panel("Last check").text
    assert "'mx2.harbour.example' is in no mx of the policy" in check
    assert "Add the MX host to the policy" in check
    reports = tab.panel("What reports say").text
    assert "google.com found that an MX host does not follow the policy" in reports
    changes = tab.panel("Changes").text
    assert "Mode changed from testing to enforce" in changes and "Certificate issued" in changes
    assert "google.com" in tab.panel("Reporters").text
    assert ("Found that an MX host does not follow the policy, often because no mx covers it "
            "validation-failure" in tab.panel("Failures").text)
    assert "Checked" in check and "before the policy of today" not in check
    leave = next(each for each in tab.all("summary") if each.text == "Leave MTA-STS")
    leave.click()
    assert "mode: none" in tab.panel("What to do next").text


def test_fetchers(tab, place):
    """The table says what --reports says."""
    tab.open("domain.html#bakery.example")
    rows = [[cell.text for cell in row.find_elements(By.CSS_SELECTOR, "th, td")]
            for row in tab.panel("Who fetched the policy").find_elements(By.CSS_SELECTOR, "tbody tr")]
    assert tab.driver.execute_script(  # no column is out of sight
        "return [...document.querySelectorAll('.scroll')].every(each => each.scrollWidth <= each.clientWidth)")
    said = place.run("--reports", "bakery.example").stdout.decode()
    for name, last, which, network, fetches in rows:
        assert (which, network) == ("current", "127.0.0.0/24")
        assert re.fullmatch(r"\d+ \w{3} 20\d\d, \d\d:\d\d UTC", last)
        n = re.fullmatch(r"(\d+) since \d+ \w{3} 20\d\d", fetches)[1]
        assert re.search(rf"(?i)- {re.escape(name)}: last .*the policy served now, from {network}; "
                         rf"{n} times? since ", said)
    assert sorted((row[0], row[4].split()[0]) for row in rows) == [
        ("A browser or a checker", "1"), ("A sender in Go (mox, chasquid, maddy)", "1"),
        ("Google", "2")]
    tab.open("domain.html#clinic.example")
    assert "No fetch is known yet" in tab.panel("Who fetched the policy").text
    tab.open("domain.html#tailor.example")
    panel = tab.panel("Who fetched the policy").text
    assert "Others" in panel and "onerror" not in panel


def numbers(tab):
    """The table of sessions: {day: [numbers]}."""
    panel = tab.panel("Sessions by day")
    details = panel.find_element(By.CSS_SELECTOR, "details")
    if not details.get_attribute("open"):
        details.find_element(By.CSS_SELECTOR, "summary").click()
    rows = [[cell.text for cell in row.find_elements(By.CSS_SELECTOR, "th, td")]
            for row in details.find_elements(By.CSS_SELECTOR, "tbody tr")]
    return {day: [int(cell.replace(",", "")) for cell in cells] for day, *cells in rows}


def plotted(tab):
    """What the canvases show: {title: values}."""
    return tab.driver.execute_script(
        "return Object.fromEntries([...document.querySelectorAll('canvas')].flatMap(canvas =>"
        " Chart.getChart(canvas).data.datasets.map(set => [set.label, set.data])))")


def test_plot(tab):
    """The table has the same numbers; each reporter can be looked at alone; changes are marked."""
    tab.open("domain.html#harbour.example")
    shown, table = plotted(tab), numbers(tab)
    assert len(table) == 31
    assert shown["Succeeded"] == [row[0] for row in table.values()][::-1]
    assert shown["No secure session with an MX host"] == [row[1] for row in table.values()][::-1]
    assert sum(shown["No secure session with an MX host"]) == 37
    marks = tab.driver.execute_script(
        "return Chart.getChart(document.querySelector('canvas')).options.plugins.marks.at")
    assert len(marks) == 2
    choice = Select(tab.one("#reporter"))
    assert [option.text for option in choice.options][:3] == [
        "Verified reporters", "All, verified or not", "google.com"]
    alone = {}
    for sender in ("google.com", "microsoft.com", "comcast.net"):
        choice.select_by_visible_text(sender)
        tab.ready()
        alone[sender] = plotted(tab)["Succeeded"]
    assert [sum(each) for each in zip(*alone.values())] == shown["Succeeded"]


def test_unverified(tab):
    """10**15 sessions that anybody can have made up are counted only if somebody asks for them."""
    tab.open("domain.html#tailor.example")
    assert max(plotted(tab)["Succeeded"]) < 1000
    Select(tab.one("#reporter")).select_by_value("all")
    tab.ready()
    assert max(plotted(tab)["Succeeded"]) > 10**14
    tab.open("index.html")
    assert max(plotted(tab)["Succeeded"]) < 10000
    tab.one("#plot input").click()
    tab.ready()
    assert max(plotted(tab)["Succeeded"]) > 10**14


def pasted(tab):
    """What a paste into the search would give."""
    find = tab.one("#find")
    find.clear()
    ActionChains(tab.driver).click(find).key_down(Keys.CONTROL).send_keys("v").key_up(
        Keys.CONTROL).perform()
    return find.get_property("value")


@pytest.mark.parametrize("has_clipboard", [True, False], ids=["clipboard", "plain HTTP"])
def test_copy(tab, place, has_clipboard):
    tab.open("domain.html#bakery.example")
    if not has_clipboard:
        tab.driver.execute_script(
            "Object.defineProperty(window, 'isSecureContext', {value: false})")
    records = json.loads(place.run("--print-dns=json", "--no-certificates", "--domain",
                                   "bakery.example").stdout)
    buttons = tab.all('button[aria-label^="Copy value"]')
    assert len(buttons) == len(records) == 4
    for button, record in zip(buttons, records):
        button.click()
        tab.wait(lambda: button.text == "Copied")
        assert tab.one("#said").get_attribute("textContent").startswith("Copied")
        assert pasted(tab) == record["value"]
    names = []
    for button in tab.all('button[aria-label^="Copy name"]'):
        button.click()
        tab.wait(lambda: button.text == "Copied")
        names.append(pasted(tab))
    assert names == ["_mta-sts", "mta-sts", "mta-sts", "_smtp._tls"]


@pytest.mark.parametrize("page", ["index.html", "domain.html#harbour.example"])
def test_keyboard(tab, page):
    """Tab reaches everything that can be used, in the order of the page, and shows where it is."""
    tab.open(page)
    wanted = tab.driver.execute_script(
        "return [...document.querySelectorAll('a[href], button, input, select, summary, [tabindex=\"0\"]')]"
        ".filter(node => node.checkVisibility()).length")
    seen = []
    for _ in range(wanted + 1):
        tab.driver.switch_to.active_element.send_keys(Keys.TAB)
        focused = tab.focused()
        if focused.tag_name == "body" or focused in seen:
            break
        if seen:  # the first one is shown when it is reached
            assert focused.value_of_css_property("outline-style") != "none" or \
                focused.tag_name == "summary"
        seen.append(focused)
    assert seen[0].get_attribute("class") == "skip"
    positions = tab.driver.execute_script(
        "const all = [...document.querySelectorAll('*')];"
        "return [...arguments].map(each => all.indexOf(each))", *seen)
    assert positions == sorted(positions)
    assert len(seen) >= wanted


def test_skip_link(tab):
    tab.open("index.html")
    tab.focused().send_keys(Keys.TAB, Keys.ENTER)
    tab.focused().send_keys(Keys.ENTER)
    tab.wait(lambda: tab.driver.execute_script("return location.hash") == "#main")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("page", PAGES)
def test_accessible(tab, axe, page, width, scheme):
    """axe-core finds nothing, and no page is wider than its window."""
    tab.emulate(width, scheme)
    tab.open(page)
    for summary in tab.all("summary"):
        summary.click()
    tab.driver.execute_script(axe)
    found = tab.driver.execute_async_script(
        "const done = arguments[arguments.length - 1];"
        "axe.run(document).then(found => done([found.passes.length, found.violations.map("
        "each => [each.id, each.help, each.nodes.map(node => node.html.slice(0, 200))])]))")
    assert found[0] > 20 and found[1] == []
    assert tab.driver.execute_script("return document.documentElement.scrollWidth") <= width


def test_hostile_text(tab):
    """It is text, whatever it says, and it is not endless."""
    tab.open("domain.html#tailor.example")
    shown = tab.text("main")
    assert shown.count('<img src=x onerror="document.title=1">') >= 4
    assert tab.all("main img, main script") == []
    assert "\u202e" not in shown and "\x07" not in shown and "\\u202e" in shown
    assert len(shown) < 10000 < len(HOSTILE)
    assert tab.driver.title == "tailor.example · MTA-STS status"
    tab.open("index.html")
    assert '<img src=x onerror="document.title=1">' in tab.text("#attention")
    assert tab.all("main img, main script") == []
    assert tab.driver.title == "MTA-STS status"


@pytest.mark.parametrize("address, title", [
    ("domain.html", "No domain was named"),
    ("domain.html#nobody.example", "nobody.example"),
    ("domain.html#%3Cimg%20src=x%3E", "<img src=x>"),
    ("domain.html#%", "No domain was named"),
    ("domain.html#aaa.example", "aaa.example"),
])
def test_unknown_domain(tab, address, title):
    tab.open(address)
    assert tab.text("h1") == title
    assert tab.all("main img") == [] and tab.text("#page") != ""


def test_folder(folder_tab):
    """The same without any server."""
    tab = folder_tab
    tab.open("index.html")
    assert tab.text("h1") == "Mail of 1 domain is being lost"
    tab.one("#find").send_keys("florist")
    tab.wait(lambda: tab.all("#found-list a"))
    tab.one("#found-list a").click()
    tab.wait(lambda: tab.text("h1") == "florist.example")
    tab.ready()
    assert sum(plotted(tab)["Succeeded"]) > 0
    assert tab.complaints() == []


def test_scheme_changes(tab):
    """A plot follows when the night comes."""
    tab.open("index.html")
    color = "return Chart.getChart(document.querySelector('canvas')).data.datasets[0].backgroundColor"
    before = tab.driver.execute_script(color)
    tab.emulate(scheme="dark")
    tab.wait(lambda: tab.driver.execute_script(color) != before)


def test_new_user(tab):
    """Which domain needs work first, and what would you do? In a few steps from the front page."""
    start = time.monotonic()
    tab.open("index.html")
    first = tab.one("#attention a")
    assert first.text == "harbour.example"
    first.click()
    tab.wait(lambda: tab.text("h1") == "harbour.example")
    assert "Add the MX host to the policy" in tab.text(".next")
    assert time.monotonic() - start < PATIENCE_S


def test_all_names_are_there(tab):
    tab.open("index.html")
    tab.one("#find").send_keys("example")
    tab.wait(lambda: tab.text("#found-count") == f"{len(DOMAINS)} domains found")
    assert [link.text for link in tab.all("#found-list a")] == sorted(DOMAINS)


@pytest.fixture(name="first_day", scope="module")
def place_of_the_first_day(tmp_path_factory):
    """Nothing has been served, checked or reported; one domain asks for no reports."""
    place = Place(tmp_path_factory.mktemp("first-day"), {name: ("testing", 0, (), None)
                                                         for name in ("asks.example", "silent.example")})
    settings = place.settings()
    del settings["domains"]["silent.example"]["tls_rpt"]
    (place.folder / "live").mkdir()  # where certificates are to be
    place.config.write_text(json.dumps(settings), encoding="utf-8")
    place.write()
    return place


@pytest.fixture(name="first_tab")
def tab_of_the_first_day(chromium, first_day):
    return tab_of(chromium, first_day)


def test_first_day(first_tab):
    """What nobody has looked at is not said to be good, and there is a next step."""
    first_tab.open("index.html")
    assert first_tab.text("h1") == "Senders do not get the policy of 2 domains"
    assert "no check was made yet: set check: in the configuration" in first_tab.text("#sources")
    (_, advice), = groups(first_tab)["Senders do not get the policy"]
    assert "mta-stsd --certificates says why there is none yet" in advice
    first_tab.open("domain.html#silent.example")
    assert "a certificate for mta-sts.silent.example" in first_tab.panel("Certificate").text
    assert "Set tls_rpt for the domain" in first_tab.panel("What reports say").text
    assert first_tab.complaints() == []


def test_withheld_record(first_tab, first_day):
    """Records that --print-dns withholds say so, and cannot be copied."""
    first_tab.open("domain.html#asks.example")
    shown = {record.find_element(By.CSS_SELECTOR, ".name code").text:
             (record.text, len(record.find_elements(By.CSS_SELECTOR, "button")))
             for record in first_tab.all(".record")}
    assert shown["_mta-sts"][1] == 0 and shown["_smtp._tls"][1] == 2
    assert "Do not publish this record yet" in shown["_mta-sts"][0]
    assert "withheld" in first_day.run("--print-dns").stdout.decode()


def test_certificate_comes(chromium, tmp_path):
    """With a good certificate there is nothing wrong, and nothing known; an older check says so."""
    place = Place(tmp_path, {"asks.example": ("testing", 0, (), 80)})
    place.config.write_text(json.dumps(place.settings()), encoding="utf-8")
    place.make_certificates()
    place.write()
    tab = tab_of(chromium, place)
    tab.open("index.html")
    assert tab.text("h1") == "No check was made and no report has come yet"
    place.make_check()
    place.make_ledger(since_days=2)
    five_days_ago = time.time() - 5 * 86400
    os.utime(place.state / "check.json", (five_days_ago, five_days_ago))
    place.write()
    tab.open("domain.html#asks.example")
    check = tab.panel("Last check").text
    assert "Not checked yet under the policy of today." in check
    assert "before the policy of today was served" in check
    assert len(tab.all(".record button")) == len(tab.all(".record")) * 2
