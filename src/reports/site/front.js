/* SPDX-License-Identifier: MIT */
/* The front page. */
"use strict";

(() => {
    const {element, number, count} = site;
    const urgencies = [
        {title: "Mail is being lost", badge: "bad"},
        {title: "Senders do not get the policy", badge: "bad"},
        {title: "Mode enforce would lose mail", badge: "soon"},
        {title: "Needs work soon", badge: "soon"},
        {title: "Warnings", badge: ""},
        {title: "Can be done now", badge: "good"},
    ];
    const TOTAL_DAYS = 14;
    const ROWS_MORE = 200;

    const words = {
        modes: {enforce: ["enforce", "good"], testing: ["testing", "blue"], none: ["none", "none"],
                "reports only": ["without a policy", "none"]},
        verdicts: {BROKEN: ["failures", "bad"], READY: ["enforce is safe", "good"],
                   "NOT YET": ["not yet safe", "blue"], "NO DATA": ["no data", "none"]},
        certificates: {missing: ["missing", "bad"], expired: ["expired", "bad"],
                       name: ["for other names", "bad"], early: ["not yet valid", "bad"],
                       ending: ["end soon", "soon"], unknown: ["not known here", "none"],
                       ok: ["good", "good"]},
        fetched: {now: ["current one", "good"], earlier: ["earlier one", "blue"],
                  unknown: ["unknown which", "none"], never: ["not yet", "none"]},
    };

    function bar(parts) {
        const node = element("div", {class: "bar", "aria-hidden": "true"});

        for (const {n, dot} of parts) {
            const part = element("span", {class: `is-${dot}`});

            part.style.flexGrow = n;
            node.append(part);
        }
        return node;
    }

    function share(n, all) {
        return `${number(n)} of ${number(all)}`;
    }

    function total(title, figure, counts, kinds) {
        const parts = Object.entries(kinds).map(([key, [word, dot]]) => ({word, dot, n: counts[key]}))
            .filter(part => part.n > 0);

        return element("section", {class: "panel total"}, element("h2", null, title),
            element("p", {class: "figure"}, figure), bar(parts),
            element("dl", {class: "legend"}, parts.map(part => element("div", null,
                element("dt", null, element("span", {class: `dot is-${part.dot}`}), part.word),
                element("dd", null, number(part.n))))));
    }

    function totals(front) {
        const served = front.domains - front.modes["reports only"];
        const recent = front.days.filter(row => row[0] === 1).slice(-TOTAL_DAYS - 1);
        const good = recent.reduce((sum, row) => sum + row[1], 0);
        const bad = recent.reduce((sum, row) => sum + row.slice(2).reduce((a, b) => a + b, 0), 0);

        document.getElementById("totals").replaceChildren(
            total("Domains", number(front.domains), front.modes, words.modes),
            total("Safe to enforce", share(front.verdicts.READY, served), front.verdicts, words.verdicts),
            total("Good certificates", share(front.certificates.ok, served), front.certificates,
                  words.certificates),
            total("Policies fetched", share(served - front.fetched.never, served), front.fetched,
                  words.fetched),
            total(`Sessions in ${TOTAL_DAYS} days`, number(good + bad), {good, bad},
                  {bad: ["failed", "bad"], good: ["succeeded", "good"]}));
    }

    function row([domain, text], isGone) {
        return element("li", null, isGone ? element("span", null, domain) : site.link(domain),
                       text === "" ? null : element("span", null, text));
    }

    /* A list that grows by the files that hold the rest of it. */
    function rowsOf(group, number_of_group) {
        const isGone = group.code === "gone";
        const isBare = group.rows.every(([, text]) => text === "");
        const list = element("ul", {class: isBare ? "rows are-bare" : "rows"},
                             group.rows.map(each => row(each, isGone)));
        const waiting = [];
        let nShown = group.rows.length, nFiles = 0;

        if (group.n === nShown)
            return list;
        const button = element("button", {type: "button"});
        const name = () => {
            const n = Math.min(ROWS_MORE, group.n - nShown);

            button.textContent = n === group.n - nShown ? `Show ${number(n)} more`
                                                        : `Show ${n} of ${number(group.n - nShown)} more`;
        };

        button.addEventListener("click", async () => {
            while (waiting.length < ROWS_MORE && nFiles < group.files)
                waiting.push(...await site.load(`group-${number_of_group}-${nFiles++}`));
            const more = waiting.splice(0, ROWS_MORE).map(each => row(each, isGone));

            nShown += more.length;
            list.append(...more);
            more[0]?.querySelector("a")?.focus();
            site.say(`${count(more.length, "more domain")} shown`);
            if (nShown < group.n && more.length > 0)
                name();
            else
                button.remove();
        });
        name();
        return element("div", {class: "rows"}, list, button);
    }

    function groupOf(group, index) {
        return element("article", {class: "group"},
            element("div", null, element("h3", null, group.title),
                    element("p", {class: "todo"}, group.advice)),
            element("div", null,
                    group.n > 1 ? element("p", {class: "soft small"}, count(group.n, "domain")) : null,
                    rowsOf(group, index)));
    }

    function attention(front) {
        const node = document.getElementById("attention");

        node.replaceChildren(...urgencies.map((urgency, level) => {
            const groups = front.groups.map((group, index) => [group, index])
                .filter(([group]) => group.urgency === level);

            if (groups.length === 0)
                return null;
            return element("section", {class: "urgency"},
                element("h2", null, element("span", {class: `badge ${urgency.badge}`}, urgency.title)),
                groups.map(([group, index]) => groupOf(group, index)));
        }).filter(section => section));
    }

    /* Whether anybody has looked: a check, or a sender that reports. */
    function isKnown(front) {
        return front.checked > 0 || Object.entries(front.verdicts).some(([verdict, n]) =>
            verdict !== "NO DATA" && n > 0);
    }

    /* front.urgencies: how many domains have nothing worse, by urgency. */
    function headline(front) {
        const about = level => count(front.urgencies[level], "domain");

        if (front.domains === 0)
            return "No domains are configured";
        if (!isKnown(front)) {
            if (front.urgencies[1] > 0)
                return `Senders do not get the policy of ${about(1)}`;
            return front.urgencies[3] > 0 ? "Something needs work soon"
                                          : "No check was made and no report has come yet";
        }
        switch (front.groups[0]?.urgency) {
        case 0:
            return `Mail of ${about(0)} is being lost`;
        case 1:
            return `No mail is being lost, but senders do not get the policy of ${about(1)}`;
        case 2:
            return `No mail is being lost; mode enforce would lose mail of ${about(2)}`;
        case 3:
            return "No mail is being lost; something needs work soon";
        case 4:
            return "No mail is being lost; there are warnings";
        default:
            return "Nothing needs attention";
        }
    }

    function sources(front) {
        document.getElementById("sources").replaceChildren("Written ", site.time(front.written), " · ",
            ...(front.checked > 0 ? ["last check ", site.time(front.checked)]
                                  : ["no check was made yet: set check: in the configuration"]),
            front.unreadable > 0 ? ` · ${count(front.unreadable, "report")} could not be read` : "");
        if (front.warning) {
            document.getElementById("warning").textContent = front.warning;
            document.getElementById("warning").hidden = false;
        }
    }

    function plots(front) {
        const node = document.getElementById("plot");
        const days = Array.from({length: front.days.length / 2}, (_, index) => front.first_day + index);
        const of = isVerified => front.days.filter(row => row[0] === isVerified).map(row => row.slice(1));
        const hasAny = rows => rows.some(row => row.some(n => n > 0));
        const verified = of(1), unverified = of(0);
        const both = verified.map((row, index) => row.map((n, at) => n + unverified[index][at]));
        const plain = element("div", null, site.sessions(days, verified, []));
        const box = element("input", {type: "checkbox"});

        box.addEventListener("change", () => {
            plain.replaceChildren(...site.sessions(days, box.checked ? both : verified, []));
        });
        node.replaceChildren(plain);
        if (hasAny(unverified))
            node.prepend(element("div", {class: "tools"}, element("label", null, box,
                "Count reports too whose sender is not verified; anybody can send such reports")));
    }

    site.load("front").then(front => {
        document.getElementById("headline").textContent = headline(front);
        sources(front);
        totals(front);
        attention(front);
        plots(front);
    }, error => {
        document.getElementById("headline").textContent = "The data cannot be loaded";
        document.getElementById("sources").textContent = error.message;
    });
})();
