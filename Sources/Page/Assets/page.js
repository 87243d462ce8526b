"use strict";
// Keeps the page up to date: asks for what is new every two seconds while somebody sees it, draws
// the lines as the server does, and shows all of them at the same time under the pointer. Text from
// the outside goes into the page as text only.
(() => {
  const period = 2000, memory = 900000, width = 600, height = 100;
  const {history, probe} = document.body.dataset;
  const main = document.getElementById("targets");
  const isTable = main.dataset.mode === "table";
  const template = document.getElementById("new").content;
  const byID = name => document.getElementById(name);
  const units = {
    cpu: digits, memory: bytes, fds: count, threads: count, goroutines: count, heap: bytes,
    io: number => bytes(number) + "/s", faults: number => count(number) + "/s",
    switches: number => count(number) + "/s",
  };
  const titles = {
    cpu: "CPU cores", memory: "Memory", fds: "Descriptors", threads: "Threads", goroutines: "Goroutines",
    heap: "Go heap", io: "Storage I/O", faults: "Major faults", switches: "Context switches",
  };
  // Moments that lie farther apart are not joined by a line.
  let gap = 15000;
  let span = Number(document.body.dataset.span), shown = span * 1000, times = [], targets = new Map();
  let start = null, isPaused = false, timer = 0, under = null, turns = 0, isAsking = false;

  // Numbers as people read them; the server writes them the same.
  function digits(number) {
    if (number === 0) return "0";
    return number.toFixed(number < 0.0995 ? 3 : number < 9.995 ? 2 : number < 99.95 ? 1 : 0);
  }
  function bytes(number) {
    const names = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let unit = 0;
    for (; number >= 1000 && unit + 1 < names.length; unit++) number /= 1024;
    return (unit ? digits(number) : Math.trunc(number)) + " " + names[unit];
  }
  function count(number) {
    if (number < 10000) return Number.isInteger(number) ? String(number) : digits(number);
    return number < 999500 ? digits(number / 1e3) + " k" : digits(number / 1e6) + " M";
  }
  function seconds(number) {
    return number < 0.9995 ? digits(number * 1000) + " ms"
      : number < 60 ? digits(number) + " s" : age(number);
  }
  function age(number) {
    const s = Math.max(0, Math.trunc(number)), d = Math.trunc(s / 86400);
    const h = Math.trunc(s / 3600) % 24, m = Math.trunc(s / 60) % 60;
    return d ? `${d} d ${h} h` : h ? `${h} h ${m} min` : m ? `${m} min ${s % 60} s` : `${s} s`;
  }
  const percent = share => share > 0 && share < 0.005 ? "< 1 %" : Math.round(share * 100) + " %";
  function range(low, high) {
    if (low === high) return low;
    const [number, unit] = low.split(" ");
    return (unit !== undefined && unit === high.split(" ")[1] ? number : low) + " – " + high;
  }
  const clean = text => text.slice(0, 300)
    .replace(/[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g, "\ufffd");
  const closeness = share => share >= 0.95 ? "critical" : share >= 0.8 ? "near" : "";
  const signs = {critical: "✕ ", near: "▲ ", "": "", ok: "●", degraded: "▲", failing: "✕"};
  function put(element, text) {
    if (element && element.textContent !== text) element.textContent = text;
  }

  // What comes from the server.
  function take(answer) {
    const exporter = answer.exporter;
    if (start !== exporter.start_time) {
      // Another run has other numbers for its targets.
      if (start !== null) return location.reload();
      start = exporter.start_time;
    }
    // The server's clock was set back.
    if (times.length && answer.now * 1000 < times[times.length - 1] - 1000) return location.reload();
    const before = times.length;
    times.push(...answer.times);
    // Of many targets the first answer has fewer moments.
    const apart = answer.times.slice(1).map((time, n) => time - answer.times[n]).sort((a, b) => a - b);
    if (apart.length > 2) gap = Math.max(gap, 1.5 * apart[apart.length >> 1]);
    const seen = new Set();
    for (const one of answer.targets) {
      seen.add(one.id);
      let target = targets.get(one.id);
      if (!target) {
        target = {values: {}, starts: new Array(before).fill(null), element: element(one.id)};
        targets.set(one.id, target);
      }
      target.facts = one;
      target.starts.push(...one.starts);
      for (const key in units) {
        const values = target.values[key] ||= new Array(before).fill(null);
        const more = one.values[key];
        if (more) values.push(...more);
        else for (let n = answer.times.length; n > 0; n--) values.push(null);
      }
    }
    for (const [id, target] of targets) {
      if (seen.has(id)) continue;
      target.element.remove();
      targets.delete(id);
    }
    for (const element of main.querySelectorAll("[data-id]")) {
      if (!targets.has(Number(element.dataset.id))) element.remove();
    }
    const old = times.findIndex(time => time >= times[times.length - 1] - memory);
    if (old > 0) {
      times.splice(0, old);
      for (const target of targets.values()) {
        target.starts.splice(0, old);
        for (const key in target.values) target.values[key].splice(0, old);
      }
    }
    if (targets.size > 50 !== isTable) return location.reload();
    header(exporter, answer.now);
    errors(exporter.errors, answer.now);
    if (turns++ % 5 === 0) sort();
    draw(answer.now);
  }

  function element(id) {
    const known = main.querySelector(`[data-id="${id}"]`);
    if (known) return known;
    const made = template.querySelector("[data-id]").cloneNode(true);
    made.dataset.id = id;
    (main.querySelector("tbody") || main).append(made);
    return made;
  }

  function header(exporter, now) {
    const broken = {ok: "OK", degraded: "DEGRADED", failing: "FAILING"}[exporter.status];
    const pill = byID("status");
    pill.className = "pill " + exporter.status;
    put(pill, `${signs[exporter.status]} ${broken}`);
    put(byID("up"), age(now - exporter.start_time));
    const up = [...targets.values()].filter(target => target.facts.processes > 0).length;
    put(byID("targets-up"), `${up} of ${targets.size}`);
    const scrape = exporter.last_scrape;
    put(byID("scrape"), !scrape ? "none yet"
      : `${clean(scrape.client) || "somebody"}, ${age(now - scrape.time)} ago, `
        + `${seconds(scrape.seconds)}, ${scrape.format}${scrape.compressed ? " gzip" : ""} ${bytes(scrape.bytes)}`);
    const rate = exporter.scrapes_per_minute, most = Math.max(1, ...rate);
    put(byID("rate"), rate.length > 1 ? String(rate[rate.length - 2]) : "–");
    const bars = byID("bars");
    if (bars) bars.setAttribute("d", rate.map((count, place) =>
      count ? `M${place * 4 + 2} 16v-${Math.max(1, Math.trunc(count * 15 / most))}` : "").join(""));
    const took = exporter.collection_seconds;
    put(byID("collection"), took ? `${seconds(took.p50)}, ${seconds(took.p99)}` : "–");
    if (exporter.resident_bytes !== null) {
      put(byID("own"), [
        exporter.cpu_cores === null ? "–" : digits(exporter.cpu_cores) + " cores",
        bytes(exporter.resident_bytes),
        ...exporter.open_fds === null ? [] : [count(exporter.open_fds) + " fds"],
      ].join(", "));
    }
  }

  // The table of errors, as the server writes it.
  function errors(list, now) {
    if (!list.length) return;
    const made = (name, text, type) => {
      const element = document.createElement(name);
      element.textContent = text;
      if (type) element.className = type;
      return element;
    };
    const row = (...cells) => {
      const element = document.createElement("tr");
      element.append(...cells);
      return element;
    };
    const table = document.createElement("table");
    table.createTHead().append(row(...["What", "Count", "First", "Last"].map(text => made("th", text))));
    table.createTBody().append(...list.map(one => row(
      made("td", clean(`${one.subject}: ${one.message}`)), made("td", one.count, "n"),
      made("td", age(now - one.first) + " ago"), made("td", age(now - one.last) + " ago"))));
    byID("errors").lastElementChild.replaceWith(table);
  }

  // Broken ones first, then by CPU; not while somebody points at them or is among them.
  function sort() {
    if (under || main.contains(document.activeElement) || main.matches(":hover")) return;
    const rank = {failing: 0, degraded: 1, ok: 2};
    const mean = target => {
      const values = target.values.cpu.slice(-15).filter(value => value !== null);
      return values.reduce((sum, value) => sum + value, 0) / (values.length || 1);
    };
    const order = [...targets.values()].map(target => [rank[target.facts.status], -mean(target), target]);
    order.sort((a, b) => a[0] - b[0] || a[1] - b[1]
      || (a[2].facts.name < b[2].facts.name ? -1 : 1));
    const parent = main.querySelector("tbody") || main;
    order.forEach(([, , target], place) => {
      const there = parent.children[place];
      if (there !== target.element) parent.insertBefore(target.element, there || null);
    });
  }

  // Drawing.
  function draw(now) {
    if (!times.length) return;
    const end = times[times.length - 1], first = times.findIndex(time => time >= end - span * 1000);
    // No longer than there is anything to be seen.
    shown = Math.min(span * 1000, Math.max(60000, end - times[0]));
    for (const target of targets.values()) {
      if (now !== undefined) describe(target, now);
      const vitals = target.element.querySelector(".vitals");
      if (vitals) {
        vitals.hidden = target.facts.processes === 0
          && Object.values(target.values).every(values => values.every(value => value === null));
      }
      for (const figure of target.element.querySelectorAll("[data-m]")) {
        chart(figure, target, figure.dataset.m, first, end);
      }
    }
    filter();
    point();
  }

  function describe(target, now) {
    const {facts, element} = target;
    element.classList.remove("ok", "degraded", "failing");
    element.classList.add(facts.status);
    const link = element.querySelector("a");
    put(link.firstChild, clean(facts.name));
    link.setAttribute("href", probe + "?" + new URLSearchParams({target: facts.name, ...facts.labels}));
    const reasons = facts.reasons.map(clean);
    const sign = facts.processes === 0 ? "✕"
      : facts.state === "restarting" && facts.status === "ok" ? "▲" : signs[facts.status];
    const place = element.querySelector(".state"), argv = element.querySelector(".argv");
    place.classList.toggle("warn", sign === "▲");
    put(place.firstElementChild, sign);
    put(place.lastChild, " " + facts.state);
    const parts = [];
    if (facts.processes === 1 && facts.pids.length) parts.push(`pid ${facts.pids[0]} ${clean(facts.command)}`);
    else if (facts.pids.length > 1) {
      parts.push(`${facts.processes} processes: ${facts.pids.join(" ")}${facts.processes > facts.pids.length ? " …" : ""}`);
    } else if (facts.processes > 0) parts.push(`${facts.processes} processes`);
    if (facts.start_time !== null) parts.push("up " + age(now - facts.start_time));
    if (facts.restarts) parts.push(facts.restarts === 1 ? "1 restart" : `${facts.restarts} restarts`);
    for (const name in facts.labels) parts.push(clean(`${name}=${facts.labels[name]}`));
    put(element.querySelector(".facts"), parts.join(" · "));
    if (argv) {
      argv.hidden = facts.command_line === null;
      put(argv.firstChild, clean(facts.command_line ?? ""));
    }
    put(element.querySelector(".states"),
      Object.entries(facts.states).map(([name, count]) => `${count} ${name.replace("_", " ")}`).join(", "));
    const list = element.querySelector(".reasons");
    list.hidden = reasons.length === 0;
    if (list.dataset.said !== reasons.join("\n")) {
      list.dataset.said = reasons.join("\n");
      list.replaceChildren(...reasons.map(reason => {
        const item = document.createElement("li");
        item.textContent = reason;
        return item;
      }));
    }
  }

  function limit(key, facts) {
    return key === "memory" ? facts.memory_limit_bytes
      : key === "fds" && facts.processes === 1 ? facts.max_fds : null;
  }

  function share(key, facts) {
    return key === "memory" ? facts.memory_usage_ratio : key === "fds" ? facts.fd_usage_ratio : null;
  }

  function chart(figure, target, key, first, end) {
    const values = target.values[key], facts = target.facts, words = units[key];
    const used = share(key, facts), bound = limit(key, facts);
    let low = Infinity, high = -Infinity;
    for (let place = first; place < times.length; place++) {
      const value = values[place];
      if (value === null) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    const isKnown = high >= low;
    const svg = figure.querySelector("svg");
    if (figure.tagName === "FIGURE") {
      if (key !== "cpu" && key !== "memory" && key !== "fds" && key !== "threads") figure.hidden = !isKnown;
      const both = isKnown ? range(words(low), words(high)) : "";
      put(figure.querySelector(".range"), both);
      svg.setAttribute("aria-label",
        `${titles[key]}, last ${age(shown / 1000)}: ${both.replace(" – ", " to ")}`);
    }
    const current = values.length ? values[values.length - 1] : null;
    const number = figure.querySelector("b");
    if (number) {
      number.dataset.now = current === null ? "–" : words(current);
      if (!under) put(number, number.dataset.now);
    }
    const level = used === null ? "" : closeness(used);
    figure.classList.remove("near", "critical");
    if (level) figure.classList.add(level);
    const of = figure.querySelector(".of");
    if (of) put(of, used === null ? "" : signs[level] + (isTable ? "" : bound === null ? "worst " : `of ${words(bound)}, `) + percent(used));
    if (!svg) return;
    let top = Math.max(high * 1.1, 1e-9), y = null;
    if (!isTable && bound > 0 && bound <= 4 * high) {
      top = Math.max(top, bound * 1.05);
      y = Math.round(height * (1 - bound / top));
    }
    let line = "", area = "", marks = "", begin = 0, at = null, before = end - shown, starts = null;
    // At the sides of a column of some moments its lowest and its highest are drawn; down is more.
    const count = times.length - first, step = count <= 300 ? 1 : Math.ceil(count / 150);
    let lowest = null, highest = null, left = 0, right = 0;
    const move = (x, y) => {
      line += at === null ? `M${x} ${y}h0` : `L${x} ${y}`;
      area += (at === null ? "M" : "L") + x + " " + y;
      if (at === null) begin = x;
      at = x;
    };
    const endColumn = () => {
      if (lowest === null) return;
      const [one, other] = highest[0] < lowest[0] ? [highest, lowest] : [lowest, highest];
      move(left, one[1]);
      if (left < right || one[1] !== other[1]) move(right, other[1]);
      lowest = highest = null;
    };
    const lift = () => {
      endColumn();
      if (at !== null) area += `V100H${begin}z`;
      at = null;
    };
    for (let place = first; place < times.length && isKnown; place++) {
      const time = times[place], value = values[place];
      const x = Math.round((time - end + shown) / shown * width);
      if (value === null || time - before > gap) lift();
      before = time;
      if (starts !== null && target.starts[place] > starts) marks += `M${x} 0v100`;
      starts = target.starts[place] ?? starts;
      if (value !== null) {
        const point = [x, Math.round(height * (1 - value / top))];
        if (lowest === null) left = x;
        right = x;
        if (lowest === null || point[1] > lowest[1]) lowest = point;
        if (highest === null || point[1] <= highest[1]) highest = point;
      }
      if ((place - first + 1) % step === 0) endColumn();
    }
    lift();
    const set = (name, d) => {
      const path = svg.querySelector("." + name);
      if (path) path.setAttribute("d", d);
    };
    set("line", line);
    set("area", area);
    set("limit", y === null ? "" : `M0 ${y}h600`);
    set("mark", marks);
  }

  // The same time on all charts.
  function point() {
    const output = document.querySelector("#when output");
    let place = -1, x = null;
    if (under !== null && times.length) {
      const end = times[times.length - 1], time = end - shown * (1 - under);
      place = times.reduce((best, one, index) =>
        Math.abs(one - time) < Math.abs(times[best] - time) ? index : best, 0);
      x = Math.round((times[place] - end + shown) / shown * width);
      put(output, new Date(times[place]).toLocaleTimeString());
    } else put(output, "now");
    for (const [, target] of targets) {
      for (const figure of target.element.querySelectorAll("figure[data-m]")) {
        const value = place < 0 ? null : target.values[figure.dataset.m][place];
        const number = figure.querySelector("b");
        put(number, place < 0 ? number.dataset.now ?? number.textContent
          : value === null ? "–" : units[figure.dataset.m](value));
        const svg = figure.querySelector("svg");
        let cross = svg.querySelector(".cross");
        if (x === null) {
          cross?.remove();
          continue;
        }
        if (!cross) {
          cross = document.createElementNS("http://www.w3.org/2000/svg", "line");
          cross.setAttribute("class", "cross");
          cross.setAttribute("y1", 0);
          cross.setAttribute("y2", height);
          svg.append(cross);
        }
        cross.setAttribute("x1", x);
        cross.setAttribute("x2", x);
      }
    }
  }

  const slider = document.querySelector("#when input");
  let frame = 0;
  function pointAt(fraction) {
    under = fraction;
    if (!frame) frame = requestAnimationFrame(() => { frame = 0; point(); });
  }
  main.addEventListener("pointermove", event => {
    const svg = event.target.closest("figure svg");
    if (!svg) return under === null || document.activeElement === slider ? undefined : pointAt(null);
    const box = svg.getBoundingClientRect();
    pointAt(Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)));
  });
  main.addEventListener("pointerleave", () => pointAt(null));
  slider.addEventListener("input", () => pointAt(slider.value === slider.max ? null : slider.value / slider.max));

  function filter() {
    const field = document.querySelector("#filter input"), wanted = field.value.trim().toLowerCase();
    byID("filter").hidden = targets.size <= 12 && !wanted;
    for (const {facts, element} of targets.values()) {
      const text = [facts.name, facts.command, ...Object.values(facts.labels)].join(" ").toLowerCase();
      element.hidden = !text.includes(wanted);
    }
  }

  // Asking.
  function live(text, isOn) {
    const place = byID("live");
    put(place, text);
    place.classList.toggle("on", isOn);
  }

  async function ask() {
    clearTimeout(timer);
    if (isPaused || document.hidden || isAsking) return;
    isAsking = true;
    let wait = period;
    try {
      const query = times.length ? `?span=900&since=${times[times.length - 1]}` : "?span=900";
      // The page's own address may have a password in it, which no request may.
      const answer = await fetch(location.origin + history + query,
        {cache: "no-store", signal: AbortSignal.timeout(15000)});
      if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
      const text = await answer.json();
      if (!isPaused) {
        take(text);
        live("live", true);
      }
    } catch (error) {
      live(`no answer (${error.message}), trying again`, false);
      byID("status").className = "pill lost";
      put(byID("status"), "✕ NO ANSWER");
      wait = 5000;
    }
    isAsking = false;
    if (!isPaused && !document.hidden) timer = setTimeout(ask, wait);
  }

  const pause = byID("pause");
  pause.addEventListener("click", () => {
    isPaused = !isPaused;
    pause.setAttribute("aria-pressed", isPaused);
    live(isPaused ? "paused" : "live", !isPaused);
    ask();
  });
  document.addEventListener("visibilitychange", ask);
  document.querySelector("#filter input").addEventListener("input", filter);
  byID("spans").addEventListener("click", event => {
    const link = event.target.closest("a");
    if (!link) return;
    event.preventDefault();
    span = Number(link.dataset.span);
    for (const one of byID("spans").children) one.removeAttribute("aria-current");
    link.setAttribute("aria-current", "true");
    window.history.replaceState(null, "", "?span=" + span);
    draw();
  });
  pause.hidden = byID("when").hidden = false;
  ask();
})();
