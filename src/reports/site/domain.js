/* SPDX-License-Identifier: MIT */
/* The page of one domain, which the address names: domain.html#example.com. */
"use strict";

(() => {
    const {element, number, count} = site;

    const certificateWords = {
        ok: ["good", "certificate good"], ending: ["soon", "certificate ends soon"],
        expired: ["bad", "certificate expired"], early: ["bad", "certificate not yet valid"],
        name: ["bad", "certificate for other names"], missing: ["bad", "certificate missing"],
        unknown: ["", "certificate not known here"],
    };
    const verdictWords = {
        READY: ["good", "safe by the reports"], "NOT YET": ["blue", "not yet safe to enforce"],
        BROKEN: ["bad", "failures reported"], "NO DATA": ["", "no data from reports"],
    };
    const severityWords = {error: "bad", warning: "soon"};

    function badge(kind, text) {
        return element("span", {class: `badge ${kind}`}, text);
    }

    function panel(title, ...content) {
        return element("section", {class: "panel"}, element("h2", null, title), ...content);
    }

    function facts(pairs) {
        return element("dl", {class: "facts"}, pairs.filter(pair => pair).flatMap(([term, value]) =>
            [element("dt", null, term), element("dd", null, value)]));
    }

    function duration(seconds) {
        for (const [unit, length] of [["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60]])
            if (seconds % length === 0)
                return count(seconds / length, unit);
        return count(seconds, "second");
    }

    function badges(domain) {
        const errors = domain.check?.findings.filter(finding => finding.severity === "error").length;

        return element("p", {class: "badges"},
            domain.mode ? badge(domain.mode === "enforce" ? "good" : "blue", `mode ${domain.mode}`)
                        : badge("", "reports only"),
            domain.mode ? badge(...verdictWords[domain.verdict]) : null,
            domain.certificate ? badge(...certificateWords[domain.certificate.state]) : null,
            errors > 0 ? badge("bad", `${count(errors, "error")} in the last check`) : null);
    }

    function next(domain) {
        const [first, ...others] = domain.steps;

        if (!first)
            return null;
        return element("section", {class: "panel next"}, element("h2", null, "What to do next"),
            element("h3", null, first.title), element("p", null, first.text),
            first.from ? element("p", {class: "when"}, "Not before ", site.date(first.from)) : null,
            others.map(step => element("details", null, element("summary", null, step.title),
                element("p", null, step.text),
                step.from ? element("p", {class: "when"}, site.date(step.from)) : null)));
    }

    function check(domain, front) {
        if (!domain.check)
            return panel("Last check", element("p", {class: "soft"},
                "No check was made yet: see check: in the manual mta-stsd.yaml."));
        const isOld = domain.since > front.checked;
        const when = element("p", {class: "soft small"}, "Checked ", site.time(front.checked),
                             isOld ? ", before the policy of today was served" : "");

        if (isOld && domain.check.findings.length === 0)
            return panel("Last check", element("p", null, "Not checked yet under the policy of today."), when);

        if (domain.check.findings.length === 0)
            return panel("Last check", element("p", null, domain.check.text
                ? `${sentence(domain.check.text)}.` : "No errors and no warnings."), when);
        return panel("Last check", element("p", null, `${sentence(domain.check.text)}.`), when,
            element("ul", {class: "items"}, domain.check.findings.map(finding =>
                element("li", null,
                    element("p", null, badge(severityWords[finding.severity] ?? "", finding.severity), " ",
                            element("strong", null, finding.text)),
                    element("p", {class: "todo"}, finding.meaning),
                    element("p", null, finding.advice)))));
    }

    /* A name of a host at its beginning stays as it is. */
    function sentence(text) {
        return /^[a-z]+( |$)/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
    }

    function verdict(domain) {
        return panel("What reports say", element("p", null, badge(...verdictWords[domain.verdict])),
            element("ul", {class: "items wide"}, domain.reasons.map(reason => element("li", null,
                element("p", null, `${sentence(reason.text)}.`),
                reason.advice ? element("p", {class: "todo"}, `${reason.advice}.`) : null))));
    }

    function reporterName(domain, index) {
        return domain.reporters[index]?.name ?? "others";
    }

    function plots(domain, front) {
        const nDays = front.days.length / 2;
        const days = Array.from({length: nDays}, (_, index) => front.first_day + index);
        const marks = [...new Set(domain.changes.map(change => Math.floor(change.at / 86400)))]
            .filter(day => days.includes(day));
        const body = element("div");
        const select = element("select", {id: "reporter"},
            element("option", {value: "verified"}, "Verified reporters"),
            element("option", {value: "all"}, "All, verified or not"),
            domain.reporters.map((reporter, index) => element("option", {value: String(index)},
                `${reporter.name}${reporter.verified ? "" : " (not verified)"}`)));
        const wanted = row => {
            if (select.value === "all")
                return true;
            if (select.value === "verified")
                return row[2] === 1;
            return String(row[1]) === select.value;
        };
        const draw = () => {
            const rows = days.map(() => [0, 0, 0, 0, 0]);

            for (const row of domain.sessions)
                if (wanted(row) && days.includes(row[0]))
                    row.slice(3).forEach((n, index) => { rows[row[0] - days[0]][index] += n; });
            body.replaceChildren(...site.sessions(days, rows, marks));
        };

        if (!domain.sessions.some(row => row[2] === 1) && domain.sessions.length > 0)
            select.value = "all";
        select.addEventListener("change", draw);
        const section = panel("Sessions by day",
            domain.reporters.length > 0
                ? element("div", {class: "tools"}, element("label", {for: "reporter"}, "Told by"), select)
                : null, body);

        return {section, draw};
    }

    function reporters(domain) {
        if (domain.reporters.length === 0 && domain.failures.length === 0)
            return null;
        const sums = new Map();

        for (const [, reporter, , ...counts] of domain.sessions) {
            const sum = sums.get(reporter) ?? [0, 0];

            sum[0] += counts[0];
            sum[1] += counts.slice(1).reduce((a, b) => a + b, 0);
            sums.set(reporter, sum);
        }
        const rows = [...sums.entries()].sort(([a], [b]) => a - b).map(([reporter, [good, bad]]) => [
            reporterName(domain, reporter),
            domain.reporters[reporter] ? (domain.reporters[reporter].verified ? "yes" : "no") : "",
            number(good), number(bad),
            domain.reporters[reporter] ? site.day(domain.reporters[reporter].last_day) : ""]);

        return panel("Reporters",
            rows.length > 0 ? site.table("Who told of sessions",
                [{title: "Reporter"}, {title: "Verified"}, {title: "Succeeded", kind: "number"},
                 {title: "Failed", kind: "number"}, {title: "Last report about"}], rows)
                            : element("p", {class: "soft"}, "No report tells of sessions under a policy."),
            domain.missing_reporters.length > 0 ? element("p", {class: "soft small wide"},
                `No report came from ${domain.missing_reporters.join(", ")}; other domains get reports from there.`)
                : null,
            domain.refused > 0 ? element("p", {class: "soft small"},
                `${count(domain.refused, "report")} without a verified sender came on top, too many to keep.`)
                : null);
    }

    function failures(domain) {
        if (domain.failures.length === 0)
            return null;
        return panel("Failures",
            site.table("What failed, told by whom",
                [{title: "Reporter"}, {title: "Failure", kind: "words"}, {title: "MX host", kind: "words"},
                 {title: "Sessions", kind: "number"}, {title: "Days"}],
                domain.failures.map(failure => [
                    `${failure.reporter}${failure.verified ? "" : " (not verified)"}`,
                    element("span", null, `${sentence(failure.means)} `,
                            element("code", null, failure.type ?? "without a type"),
                            failure.reason ? element("span", {class: "soft"}, ` ${failure.reason}`) : null,
                            failure.cured ? element("em", null, " cured by the policy of today") : null),
                    failure.mx ?? "", number(failure.sessions),
                    failure.first_day === failure.last_day
                        ? site.day(failure.last_day, true)
                        : `${site.day(failure.first_day, true)} – ${site.day(failure.last_day, true)}`])),
            domain.n_failures > domain.failures.length ? element("p", {class: "soft small"},
                `${number(domain.n_failures - domain.failures.length)} more are not shown.`) : null);
    }

    const fetchedWords = {true: "current", false: "earlier", null: "unknown"};

    function fetchers(domain) {
        const title = "Who fetched the policy";

        if (domain.fetchers.length === 0)
            return panel(title, element("p", {class: "soft"},
                "No fetch is known yet. The daemon hands over what it has counted once an hour."));
        return panel(title,
            site.table("Kinds of senders, the last one first",
                [{title: "Sender"}, {title: "Last fetch"}, {title: "Policy"}, {title: "Network"},
                 {title: "Fetches"}],
                domain.fetchers.map(each => [
                    sentence(each.name), site.time(each.last_unix, true), fetchedWords[each.has_current],
                    each.prefix ?? "unknown", [number(each.fetches), " since ", site.date(each.first_unix, true)]])),
            element("p", {class: "soft small wide"},
                "Senders are told apart by their User-Agent, which anybody can set: this is no proof."));
    }

    function policy(domain) {
        return panel("Policy", facts([
            ["Mode", domain.mode],
            ["id", element("code", null, domain.id)],
            domain.since ? ["Served since", site.time(domain.since)] : null,
            ["Senders keep it", duration(domain.max_age)],
            domain.held_until ? ["Senders may hold a policy until", site.time(domain.held_until)] : null,
            domain.policy_name ? ["Shared policy", domain.policy_name] : null]),
            element("pre", null, domain.body.replaceAll("\r", "").trimEnd()),
            site.copyButton("Copy policy", "the policy", domain.body));
    }

    function certificate(domain) {
        const {state, from, until, path} = domain.certificate;

        return panel("Certificate",
            element("p", null, badge(...certificateWords[state])),
            until ? element("div", {class: "wide"}, facts([
                ["Valid from", site.date(from)], ["Valid until", site.date(until)],
                ["File", element("code", null, path)]])) : null,
            state === "missing" ? element("p", {class: "soft small"},
                `No file that the configuration names has a certificate for mta-sts.${domain.domain}.`) : null,
            state === "unknown" ? element("p", {class: "soft small"},
                "The user that writes these pages may not read the file, or another server ends TLS.") : null);
    }

    function changes(domain) {
        if (domain.changes.length === 0)
            return null;
        return panel("Changes", element("ul", {class: "items"},
            [...domain.changes].sort((a, b) => b.at - a.at).map(change => element("li", null,
                element("p", null, change.text), element("p", {class: "soft small"}, site.time(change.at))))));
    }

    /* As a provider's form wants it: the form itself adds the zone to a name. */
    function formName(record) {
        return record.name === record.zone ? "@" : record.name.slice(0, -record.zone.length - 1);
    }

    function recordOf(record) {
        const name = formName(record);
        const cell = (term, value, kind) => element("div", {class: kind},
            element("dt", null, term), element("dd", null, element("code", null, value)));

        return element("div", {role: "listitem"}, element("dl", {class: "record"},
            cell("Name", name, "name"), cell("Type", record.type), cell("TTL", String(record.ttl)),
            cell("Value", record.value, "value"),
            record.withheld ? element("div", {class: "withheld"},
                element("dt", {class: "away"}, "Not yet"), element("dd", null, record.withheld))
                : element("div", {class: "copies"},
                element("dt", {class: "away"}, "Copy"),
                element("dd", {class: "copies"},
                    site.copyButton("Copy name", `${name} of ${record.zone}`, name),
                    site.copyButton("Copy value", `the ${record.type} record of ${record.name}`, record.value)))));
    }

    function records(domain) {
        const zones = [...new Set(domain.records.map(record => record.zone))];

        if (zones.length === 0)
            return null;
        return element("section", {class: "panel wide"}, element("h2", null, "DNS records to publish"),
            element("p", {class: "soft small"},
                    "As a DNS provider's form wants them: names without the zone, values without quotes."),
            zones.map(zone => [element("h3", {class: "zone"}, `Zone ${zone}`),
                element("div", {role: "list"},
                    domain.records.filter(record => record.zone === zone).map(recordOf))]));
    }

    function show(domain, front) {
        const {section, draw} = plots(domain, front);

        document.title = `${domain.domain} · MTA-STS status`;
        document.getElementById("name").textContent = domain.domain;
        const aside = domain.mode
            ? [policy(domain), certificate(domain), changes(domain)] : [changes(domain)];

        document.getElementById("page").replaceChildren(badges(domain),
            element("div", {class: "columns"},
                element("div", {class: "column"}, [next(domain),
                    domain.mode ? check(domain, front) : null, domain.mode ? verdict(domain) : null,
                    section, failures(domain), reporters(domain), domain.mode ? fetchers(domain) : null]),
                element("div", {class: "column"}, aside)),
            ...[records(domain)].filter(node => node));
        draw();
    }

    /* The file whose first name is the last that is not behind this one. */
    function fileOf(firsts, name) {
        let low = 0, high = firsts.length;

        while (low < high) {
            const middle = (low + high) >> 1;

            if (firsts[middle] <= name)
                low = middle + 1;
            else
                high = middle;
        }
        return low - 1;
    }

    function fail(title, text) {
        document.title = `${title} · MTA-STS status`;
        document.getElementById("name").textContent = title;
        document.getElementById("page").replaceChildren(element("p", {class: "soft"}, text));
    }

    function wantedName() {
        try {
            return decodeURIComponent(location.hash.slice(1)).toLowerCase();
        } catch {
            return "";
        }
    }

    async function look() {
        const name = wantedName();

        try {
            const [front, firsts] = await Promise.all([site.load("front"), site.load("firsts")]);
            const file = fileOf(firsts, name);
            const domains = file < 0 ? [] : await site.load(`domains-${file}`);
            const domain = domains.find(each => each.domain === name);

            if (domain)
                show(domain, front);
            else if (name === "")
                fail("No domain was named", "Search for one above, or go to the front page.");
            else
                fail(name, "The configuration does not have this domain, or did not when these pages were "
                           + "written. Reload the page if they were just written again.");
        } catch (error) {
            fail("The data cannot be loaded", error.message);
        }
    }

    window.addEventListener("hashchange", () => {
        document.getElementById("find").value = "";
        site.find("");
        look().then(() => document.getElementById("main").focus());
    });
    look();
})();
