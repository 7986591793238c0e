/* SPDX-License-Identifier: MIT */
/*
 * What both pages need. Every text on them is a text node: nothing is ever parsed as HTML, and the
 * pages' Content-Security-Policy would refuse to.
 *
 * Data are scripts that call site.take(): a page that was opened from a folder may load scripts, and
 * is refused all else.
 */
"use strict";

const site = (() => {
    const names = ["January", "February", "March", "April", "May", "June", "July", "August",
                   "September", "October", "November", "December"];
    const waiting = new Map(), loaded = new Map();
    const trusted = window.trustedTypes
        ? window.trustedTypes.createPolicy("site", {createScriptURL: address => address})
        : {createScriptURL: address => address};

    function script(address) {
        return new Promise((resolve, reject) => {
            const node = document.createElement("script");

            node.src = trusted.createScriptURL(address);
            node.onload = resolve;
            node.onerror = () => reject(new Error(`${address} cannot be loaded`));
            document.head.append(node);
        });
    }

    function take(name, value) {
        waiting.set(name, value);
    }

    /* The value of data-NAME.js; each is loaded once. */
    function load(name) {
        if (!loaded.has(name))
            loaded.set(name, script(`data-${name}.js`).then(() => waiting.get(name)));
        return loaded.get(name);
    }

    /* What a stranger wrote may have characters that hide, or that turn the rest around. */
    function visible(text) {
        return text.replace(
            /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
            byte => `\\u${byte.charCodeAt(0).toString(16).padStart(4, "0")}`);
    }

    /* element("p", {class: "soft"}, "text", otherElement, null) */
    function element(tag, attributes, ...children) {
        const node = document.createElement(tag);

        for (const [key, value] of Object.entries(attributes ?? {})) {
            if (key.startsWith("on"))
                node.addEventListener(key.slice(2), value);
            else if (value !== null && value !== undefined && value !== false)
                node.setAttribute(key, value);
        }
        node.append(...children.flat(Infinity).filter(child => child !== null && child !== undefined)
            .map(child => typeof child === "string" ? visible(child) : child));
        return node;
    }

    function number(value) {
        return value === null ? "unknown" : value.toLocaleString("en-GB");
    }

    function count(n, noun, plural = `${noun}s`) {
        return `${number(n)} ${n === 1 ? noun : plural}`;
    }

    function day(days, isShort) {
        const date = new Date(days * 86400000);
        const name = names[date.getUTCMonth()];

        return isShort ? `${date.getUTCDate()} ${name.slice(0, 3)}`
                       : `${date.getUTCDate()} ${name} ${date.getUTCFullYear()}`;
    }

    /* In a table the name of the month is short. */
    function date(seconds, isShort) {
        const iso = new Date(seconds * 1000).toISOString();
        const days = Math.floor(seconds / 86400);

        return element("time", {datetime: iso},
                       isShort ? `${day(days, true)} ${iso.slice(0, 4)}` : day(days));
    }

    function time(seconds, isShort) {
        const node = date(seconds, isShort);

        node.append(`, ${node.dateTime.slice(11, 16)} UTC`);
        return node;
    }

    function link(domain) {
        return element("a", {href: `domain.html#${encodeURIComponent(domain)}`}, domain);
    }

    /* Tells those who do not see the page what has just happened. */
    function say(text) {
        document.getElementById("said").textContent = text;
    }

    /* Where there is no clipboard (plain HTTP from another machine), an old command still copies. */
    async function copy(text) {
        if (navigator.clipboard && window.isSecureContext) {
            await navigator.clipboard.writeText(text);
            return;
        }
        const area = element("textarea", {class: "away", "aria-hidden": "true"});
        const focused = document.activeElement;

        area.value = text;
        document.body.append(area);
        area.select();
        const isDone = document.execCommand("copy");
        area.remove();
        focused?.focus();
        if (!isDone)
            throw new Error("not copied");
    }

    function copyButton(label, what, text) {
        const button = element("button", {type: "button", "aria-label": `${label}: ${what}`}, label);

        button.addEventListener("click", async () => {
            const words = await copy(text).then(() => "Copied", () => "Select and copy it by hand");

            say(`${words}: ${what}`);
            button.textContent = words;
            setTimeout(() => { button.textContent = label; }, 2000);
        });
        return button;
    }

    /* columns: [{title, kind: "number" or "words" or none}]; rows: arrays of texts or elements, the first is the heading. */
    function table(caption, columns, rows) {
        const cell = (value, index) =>
            element(index === 0 ? "th" : "td",
                    {scope: index === 0 ? "row" : null, class: columns[index].kind},
                    value);

        return element("div", {class: "scroll", tabindex: "0", role: "group", "aria-label": caption},
            element("table", null, element("caption", null, caption),
                element("thead", null, element("tr", null, columns.map(column =>
                    element("th", {scope: "col", class: column.kind},
                            column.title)))),
                element("tbody", null, rows.map(row => element("tr", null, row.map(cell))))));
    }

    function color(name) {
        return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
    }

    const dark = window.matchMedia("(prefers-color-scheme: dark)");
    const charts = new Set();

    /* Dashed lines where something changed, at a day's bar. */
    const markPlugin = {
        id: "marks",
        afterDatasetsDraw(chart, _, options) {
            const {ctx, chartArea, scales} = chart;

            ctx.save();
            ctx.strokeStyle = color("soft");
            ctx.lineWidth = 1.5;
            ctx.setLineDash([4, 3]);
            for (const index of options.at ?? []) {
                const x = scales.x.getPixelForValue(index);

                ctx.beginPath();
                ctx.moveTo(x, chartArea.top);
                ctx.lineTo(x, chartArea.bottom);
                ctx.stroke();
            }
            ctx.restore();
        },
    };

    /*
     * Bars by day, one upon the other. days: numbers of days; series: [{title, color, values}];
     * marks: days. The text that stands for the picture is `label`; a table has its numbers.
     */
    function plot(label, days, series, marks, isLow) {
        const canvas = element("canvas", {role: "img", "aria-label": label});
        const box = element("div", {class: isLow ? "plot is-low" : "plot"}, canvas);
        const compact = new Intl.NumberFormat("en-GB", {notation: "compact"});

        function draw() {
            const ticks = {color: color("soft"), font: {family: getComputedStyle(document.body).fontFamily}};

            return new Chart(canvas, {
                type: "bar",
                data: {
                    labels: days.map(each => day(each, true)),
                    datasets: series.map(each => ({label: each.title, data: each.values,
                        backgroundColor: color(each.color), maxBarThickness: 28,
                        borderRadius: 2, categoryPercentage: 0.9, barPercentage: 0.9})),
                },
                options: {
                    animation: false,
                    maintainAspectRatio: false,
                    interaction: {mode: "index", intersect: false},
                    plugins: {
                        legend: {display: false},
                        marks: {at: marks.map(each => days.indexOf(each)).filter(index => index >= 0)},
                        tooltip: {callbacks: {
                            title: items => day(days[items[0].dataIndex]),
                            label: item => ` ${item.dataset.label}: ${number(item.raw)}`}},
                    },
                    scales: {
                        x: {stacked: true, grid: {display: false}, border: {color: color("line")},
                            ticks: {...ticks, maxRotation: 0, autoSkipPadding: 16}},
                        y: {stacked: true, beginAtZero: true, border: {display: false},
                            afterFit(scale) { scale.width = 56; },
                            grid: {color: color("line"), drawBorder: false},
                            ticks: {...ticks, maxTicksLimit: isLow ? 4 : 6, precision: 0,
                                    callback: value => compact.format(value)}},
                    },
                },
                plugins: [markPlugin],
            });
        }
        script_of_plots().then(() => {
            if (!canvas.isConnected)
                return;
            const entry = {canvas, draw, chart: draw()};

            charts.add(entry);
        });
        return box;
    }

    let plots = null;

    function script_of_plots() {
        plots ??= script("chart.js");
        return plots;
    }

    /* A chart has its colours from when it was drawn. */
    dark.addEventListener("change", () => {
        for (const entry of charts) {
            entry.chart.destroy();
            if (entry.canvas.isConnected)
                entry.chart = entry.draw();
            else
                charts.delete(entry);
        }
    });

    function keys(series, hasMarks) {
        return element("ul", {class: "keys"},
            series.map(each => element("li", null, element("span", {class: `dot is-${each.dot}`}),
                                       each.title)),
            hasMarks ? element("li", null, element("span", {class: "dashed"}),
                               "policy or certificate changed") : null);
    }

    /* The ways of failing, in the order in which data have them. */
    const failures = [
        {title: "No secure session with an MX host", color: "plot-bad", dot: "bad"},
        {title: "Policy could not be fetched", color: "plot-policy", dot: "soon"},
        {title: "DANE", color: "plot-dane", dot: "dane"},
        {title: "Reason not said", color: "plot-other", dot: "none"},
    ];

    /*
     * Plots and their table. rows: for each day [succeeded, failed in each way]. What fails has a
     * scale of its own: beside 100,000 good sessions nobody would see it.
     */
    function sessions(days, rows, marks) {
        const sum = index => rows.reduce((total, row) => total + row[index], 0);
        const good = {title: "Succeeded", color: "plot-good", dot: "good", values: rows.map(row => row[0])};
        const bad = failures.map((kind, index) => ({...kind, values: rows.map(row => row[index + 1])}))
            .filter((_, index) => sum(index + 1) > 0);
        const nGood = sum(0), nBad = failures.reduce((total, _, index) => total + sum(index + 1), 0);
        const totalWords = `${count(nGood, "session")} succeeded and ${number(nBad)} failed`;
        const span = `from ${day(days[0])} to ${day(days[days.length - 1])}`;

        if (nGood + nBad === 0)
            return [element("p", {class: "soft"}, `No session was reported ${span}.`)];
        return [
            element("p", {class: "soft small"}, `${totalWords} ${span}.`),
            element("h3", {class: "plot-title"}, "Succeeded"),
            plot(`Bars by day: ${totalWords} ${span}. The table below has the numbers.`, days, [good],
                 marks, bad.length > 0),
            ...(bad.length > 0 ? [
                element("h3", {class: "plot-title"}, "Failed, on a scale of its own"),
                plot(`Bars by day: ${number(nBad)} sessions failed ${span}. The table below has the numbers.`,
                     days, bad, marks, true)] : []),
            keys([good, ...bad], marks.length > 0),
            element("details", null, element("summary", null, "The numbers as a table"),
                table(`Sessions by day, the latest first`,
                    [{title: "Day"}, {title: "Succeeded", kind: "number"},
                     {title: "Failed", kind: "number"},
                     ...bad.map(each => ({title: each.title, kind: "number"}))],
                    days.map((each, index) => [day(each), number(rows[index][0]),
                        number(rows[index].slice(1).reduce((a, b) => a + b, 0)),
                        ...bad.map(kind => number(kind.values[index]))]).reverse())),
        ];
    }

    /* The search reads the names of all domains, when somebody begins to search. */
    const FOUND_MAX = 60;
    let names_loaded = null;

    async function allNames() {
        const front = await load("front");
        const files = Array.from({length: front.name_files}, (_, index) => load(`names-${index}`));

        return (await Promise.all(files)).flat();
    }

    async function find(text) {
        const panel = document.getElementById("found");
        const list = document.getElementById("found-list");
        const wanted = text.trim().toLowerCase().replace(/\.$/, "");

        panel.hidden = wanted === "";
        if (panel.hidden) {
            document.getElementById("found-count").textContent = "";
            return;
        }
        names_loaded ??= allNames();
        const all = await names_loaded;

        if (document.getElementById("find").value !== text)
            return; /* somebody went on typing */
        const hits = all.filter(([name]) => name.includes(wanted));
        const rank = ([name]) => name === wanted ? 0 : name.startsWith(wanted) ? 1 : 2;

        hits.sort((a, b) => rank(a) - rank(b));
        document.getElementById("found-count").textContent = hits.length > FOUND_MAX
            ? `${count(hits.length, "domain")} found; the first ${FOUND_MAX} are shown, type more to find fewer`
            : `${count(hits.length, "domain")} found`;
        list.replaceChildren(...hits.slice(0, FOUND_MAX).map(([name, mode]) =>
            element("li", null, link(name), element("span", {class: "soft small"}, mode ?? "reports only"))));
    }

    function begin() {
        const input = document.getElementById("find");

        input.addEventListener("input", () => find(input.value));
        input.addEventListener("keydown", event => {
            const first = document.querySelector("#found-list a");

            if (event.key === "Enter" && first && input.value.trim() !== "")
                first.click();
            if (event.key === "ArrowDown" && first) {
                event.preventDefault();
                first.focus();
            }
            if (event.key === "Escape") {
                input.value = "";
                find("");
            }
        });
        load("front").then(front => {
            document.getElementById("written").replaceChildren(
                `mta-stsd ${front.version} wrote these pages on `, time(front.written),
                ". Plots by Chart.js (MIT).");
        }, () => {});
    }

    begin();
    return {take, load, element, number, count, day, time, date, link, say, copyButton, table, sessions,
            find};
})();
