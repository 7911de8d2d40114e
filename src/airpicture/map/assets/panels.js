// The panels at the right: display, filter, sensors, alerts, help. One is open at a time.

import { counted, grouped } from "./counted.js";
import { $, el } from "./dom.js";
import { KEYS, works } from "./keys.js";
import { KINDS, KIND_TEXTS, SOURCES, STATUS_COLOURS } from "./look.js";
import { draw } from "./symbols.js";
import { SENSOR_COLOURS, SOURCE_COLOURS } from "./theme.js";
import { clock, seconds, SYSTEMS } from "./units.js";
import { STATUS_NAMES } from "./wire.js";

const SENSOR_KINDS = { radar: "radar", adsb: "ADS-B", mlat: "multilateration", passive: "passive" };
const LEVELS = { present: "Now", predicted: "Expected", notice: "To know" }, MARKS = { present: "▲", predicted: "△", notice: "○" };
const NOT_KEPT = "The history of this time holds tracks alone: what sensors reported and how they did isn't in it.";
export const INPUT_TEXTS = { reports: "reports", quiet: "quiet", lost: "lost, trying again", unreached: "can't be reached", nothing: "nothing came yet", unread: "brings bytes that tell nothing: another port or format?" };
const INPUT_LAMPS = { reports: "ok", quiet: "degraded", lost: "silent", unreached: "silent", unread: "degraded" };
const HEALTH_TEXTS = { ok: "reports", silent: "silent", degraded: "degraded", unknown: "nothing yet" };

export class Panels {
  constructor(app) {
    Object.assign(this, { app, box: $("panel"), open: "" });
    for (const button of document.querySelectorAll("#tools [data-panel]")) {
      button.setAttribute("aria-expanded", "false");
      button.setAttribute("aria-controls", "panel");
      button.addEventListener("click", () => this.toggle(button.dataset.panel));
    }
  }

  toggle(name) {
    const here = document.activeElement, inside = this.box.contains(here);
    if (here?.matches("#tools button:focus-visible")) this.opener = here; // who came by keyboard goes back there
    this.open = this.open === name ? "" : name;
    this.box.hidden = !this.open;
    for (const button of document.querySelectorAll("#tools [data-panel]")) button.setAttribute("aria-expanded", String(button.dataset.panel === this.open));
    this.draw();
    if (this.open) this.box.querySelector("select, input, button.close")?.focus({ preventScroll: true });
    else { if (inside) this.opener?.focus({ preventScroll: true }); this.opener = null; }
  }

  // Draw the open panel anew; with `live`, only where it shows what changes by itself.
  draw(live = false) {
    if (!this.open || (live && this.open !== "sensors" && this.open !== "alerts")) return;
    const held = this.box.contains(document.activeElement) ? document.activeElement.dataset.key : "", scrolled = this.box.scrollTop;
    const title = { display: "Display", filter: "Filter", sensors: "Sensors", alerts: "Alerts", help: "Keys and help" }[this.open];
    this.box.setAttribute("aria-label", title);
    this.box.replaceChildren(
      el("h2", {}, title, el("button", { type: "button", className: "close", "data-key": "close", "aria-label": "Close", on: { click: () => this.toggle(this.open) } }, "×")),
      ...this[this.open]().filter(Boolean));
    this.box.scrollTop = scrolled;
    if (held) this.box.querySelector(`[data-key="${held}"]`)?.focus({ preventScroll: true });
  }

  choice(name, label, values) {
    const { options } = this.app, id = `option-${name}`;
    const select = el("select", { id, "data-key": name, on: { change: () => options.set(name, typeof options.get(name) === "number" ? Number(select.value) : select.value) } },
      ...values.map(([value, text]) => el("option", { value: String(value), selected: String(options.get(name)) === String(value) }, text)));
    return el("div", { className: "field" }, el("label", { for: id }, label), select);
  }

  tick(name, label) {
    const { options } = this.app, id = `option-${name}`;
    const box = el("input", { id, type: "checkbox", checked: options.get(name), "data-key": name, on: { change: () => options.set(name, box.checked) } });
    return el("div", { className: "field" }, el("label", { for: id }, label), box);
  }

  // Boxes for the members of a comma separated option that holds what's left out.
  checks(name, members) {
    const { options } = this.app, off = new Set(options.get(name).split(",").filter(Boolean));
    return el("div", { className: "checks" }, ...members.map(([value, text, sample]) => {
      const box = el("input", { type: "checkbox", checked: !off.has(value), "data-key": `${name}-${value}`, on: { change: () => { if (box.checked) off.delete(value); else off.add(value); options.set(name, [...off].join(",")); } } });
      return el("label", {}, box, sample || null, el("span", {}, text));
    }));
  }

  sample(shape, colour) {
    const canvas = el("canvas", { "aria-hidden": "true" });
    draw(canvas, shape, colour);
    return canvas;
  }

  legend() {
    const { look, options, units } = this.app, theme = look.theme(), scheme = options.get("colour");
    const item = (colour, text) => { const i = el("i"); i.style.background = colour; return el("span", {}, i, text); };
    const entries = scheme === "height" ? theme.heights.map((c, k) => item(c, k ? `> ${units.height(1900 * k)}` : "low"))
      : scheme === "status" ? STATUS_NAMES.slice(0, 3).map((name, k) => item(theme.palette[STATUS_COLOURS[k]], name))
      : scheme === "age" ? theme.heights.slice().reverse().map((c, k) => item(c, k < 6 ? `${5 * k} s` : "> 30 s"))
      : Object.entries(SOURCE_COLOURS).map(([name, c]) => item(theme.palette[c], name === "none" ? "not told" : name));
    return el("div", { className: "legend" }, ...entries);
  }

  display() {
    return [
      el("h3", {}, "Tracks"),
      this.choice("colour", "Colour by", [["source", "source"], ["height", "height"], ["status", "status"], ["age", "age of last plot"]]),
      this.legend(),
      this.choice("symbols", "Symbols by", [["kind", "how it moves"], ["source", "source"]]),
      this.choice("labels", "Data blocks", [["auto", "as many as fit"], ["1", "name"], ["2", "name, level, speed"], ["3", "all"], ["off", "off"]]),
      this.choice("vector", "Speed vectors", [[0, "off"], [30, "½ min"], [60, "1 min"], [120, "2 min"], [180, "3 min"], [300, "5 min"]]),
      this.choice("trail", "History dots", [[0, "off"], [4, "4"], [8, "8"], [16, "16"]]),
      this.choice("ellipses", "Uncertainty, 95 %", [["off", "off"], ["selected", "selected track"], ["all", "all tracks"]]),
      this.tick("tentative", "Tentative tracks"),
      el("h3", {}, "Sensors"),
      this.tick("plots", "Plots"),
      this.tick("rings", "Range rings"),
      this.tick("coverage", "Coverage as seen"),
      el("h3", {}, "Map"),
      this.choice("theme", "Theme", [["auto", "as the system"], ["dark", "dark"], ["light", "light"]]),
      this.choice("projection", "Projection", [["globe", "globe, centred"], ["mercator", "Mercator"]]),
      this.choice("units", "Units", Object.entries(SYSTEMS)),
      this.tick("airports", "Airports and runways"),
      this.tick("names", "Names of countries"),
      this.tick("borders", "Borders"),
    ];
  }

  filter() {
    const { options, look } = this.app, theme = look.theme();
    const level = (name, label) => {
      const box = el("input", { type: "number", min: 0, max: 999, step: 5, value: options.get(name), placeholder: "any", id: `option-${name}`, "data-key": name, on: { change: () => options.set(name, box.value) } });
      return el("div", { className: "field" }, el("label", { for: `option-${name}` }, label), box);
    };
    const area = options.get("area");
    return [
      el("p", { className: "dim", id: "filtered" }, `Tracks shown: ${look.visible} of ${this.app.picture.n}`),
      el("h3", {}, "Height, in hundreds of feet"),
      level("heightMin", "From"), level("heightMax", "Up to"),
      el("h3", {}, "How it moves"),
      this.checks("kinds", KINDS.map((name, k) => [name, KIND_TEXTS[k], this.sample(k, theme.text)])),
      el("h3", {}, "Best source"),
      this.checks("sources", [...SOURCES, "none"].map((name) => [name, name === "none" ? "not told" : name, this.sample(4, theme.palette[SOURCE_COLOURS[name]])])),
      el("h3", {}, "Status"),
      this.checks("statuses", [["1", "confirmed"], ["2", "coasting"], ["0", "tentative"]]),
      el("h3", {}, "Area"),
      el("div", { className: "actions" },
        el("button", { type: "button", "data-key": "area", "aria-pressed": String(Boolean(area)), on: { click: () => options.set("area", area ? "" : this.app.bounds().map((v) => v.toFixed(3)).join(",")) } }, area ? "Everywhere" : "This view only"),
        el("button", { type: "button", "data-key": "reset", on: { click: () => this.app.resetFilters() } }, "Show all")),
    ];
  }

  sensors() {
    const { look, stations, health, picture } = this.app, theme = look.theme(), now = this.app.clock.now();
    const held = new Uint32Array(65536);
    for (let slot = 0; slot < picture.n; slot++) held[picture.sensor[slot]]++;
    const { past } = this.app.timeline;
    if (past && !health.length) return [el("p", { className: "dim" }, NOT_KEPT), el("ul", { className: "list" }, ...stations.map((station, k) => [station, k]).filter(([, k]) => held[k]).map(([station, k]) => el("li", {}, el("b", {}, station.id), el("small", {}, `saw ${held[k]} ${held[k] === 1 ? "track" : "tracks"} last`))))];
    if (!stations.length) return [el("p", { className: "dim" }, "No sensor has been told of yet.")];
    const told = (k) => health.find((one) => one.sensor === k) || { health: "unknown", plots_per_s: 0 };
    // A sensor that nobody described and nobody has heard of is no news: every service could have one of its kind.
    const there = stations.map((station, k) => [station, k]).filter(([station, k]) => told(k).health !== "unknown" || held[k] || station.lat !== null);
    return [
      el("ul", { className: "list" }, ...there.map(([station, k]) => {
        const state = told(k);
        const swatch = el("span", { className: "swatch", "aria-hidden": "true" }), box = el("input", { type: "checkbox", checked: !look.offPlots.has(k), "data-key": `plots-${k}`, title: "Show its plots", "aria-label": `Plots of ${station.id}`, on: { change: () => { if (box.checked) look.offPlots.delete(k); else look.offPlots.add(k); this.app.restyle(); } } });
        swatch.style.background = theme.palette[SENSOR_COLOURS[k % SENSOR_COLOURS.length]];
        const go = station.lat === null ? el("b", {}, station.id) : el("b", {}, el("button", { type: "button", "data-key": `go-${k}`, title: "Show it on the map", on: { click: () => this.app.go(station.lat, station.lon, station.range_m ? 5.2 : 8) } }, station.id));
        const age = state.t ? (now - state.t) / 1000 : NaN;
        return el("li", {},
          el("div", { className: "sensor-head" }, el("span", { className: "lamp", "data-health": state.health, title: HEALTH_TEXTS[state.health], "aria-hidden": "true" }), go, swatch, box),
          el("small", {}, el("span", {}, `${SENSOR_KINDS[station.kind] || station.kind}${station.period_s ? `, ${+station.period_s.toFixed(1)} s a turn` : ""}`), el("span", {}, HEALTH_TEXTS[state.health])),
          el("small", {}, el("span", {}, `${state.plots_per_s.toFixed(1)} plots/s${state.delay_s !== undefined ? `, ${seconds(state.delay_s)} late` : ""}`), el("span", {}, Number.isFinite(age) ? `last ${seconds(age)} ago` : "")),
          el("small", {}, el("span", {}, `saw ${held[k]} ${held[k] === 1 ? "track" : "tracks"} last`)));
      })),
      there.length && there.length < stations.length ? el("p", { className: "dim" }, `${stations.length - there.length} more may report and haven't yet.`) : null,
      there.length ? null : el("p", { className: "dim" }, "No sensor has reported yet."),
      ...(past ? [] : this.inputs()),
      ...counted(this.app.counts).flatMap(([title, rows]) => [el("h3", {}, title), el("dl", { className: "rows" }, ...rows.flatMap(([text, n]) => [el("dt", {}, text), el("dd", {}, grouped(n))]))]),
    ];
  }

  // What brings the reports.
  inputs() {
    const { inputs } = this.app;
    return inputs.length ? [el("h3", {}, "Inputs"), el("ul", { className: "list" }, ...inputs.map(({ name, state }) => el("li", {}, el("div", { className: "sensor-head" }, el("span", { className: "lamp", "data-health": INPUT_LAMPS[state] || "unknown", "aria-hidden": "true" }), el("b", {}, name)), el("small", {}, INPUT_TEXTS[state] || state))))] : [];
  }

  alerts() {
    const { alerts } = this.app;
    const again = this.app.timeline.past ? el("p", { className: "dim" }, "Worked out again from the history.") : null;
    if (!alerts.length) return [el("p", { className: "dim" }, this.app.timeline.past ? "No alert stood." : "No alert stands."), again];
    return [again, ...Object.entries(LEVELS).flatMap(([level, title]) => {
      const of = alerts.filter((alert) => alert.level === level).sort((a, b) => b.t - a.t);
      return of.length ? [el("h3", {}, title), el("ul", { className: "list" }, ...of.map((alert) =>
        el("li", { "data-level": level }, el("button", { type: "button", "data-key": alert.key, on: { click: () => this.app.goAlert(alert) } }, el("span", { className: "mark", "aria-hidden": "true" }, MARKS[level]), el("span", {}, alert.text)),
          el("small", {}, el("span", {}, alert.kind), el("span", { className: "mono", title: "since" }, clock(alert.t))))))] : [];
    })];
  }

  help() {
    return [
      el("h3", {}, "Keys"),
      el("dl", { className: "rows keys" }, ...KEYS.filter((key) => key.text && works(key, this.app.about)).flatMap((key) => [el("dt", {}, el("kbd", {}, key.shown || key.key)), el("dd", {}, key.text)])),
      el("h3", {}, "Symbols"),
      el("div", { className: "checks" }, ...KIND_TEXTS.map((text, k) => el("label", {}, this.sample(k, this.app.look.theme().palette.blue), el("span", {}, text)))),
      el("p", { className: "dim" }, "Hollow and small: tentative, its existence is doubted. Hollow in a broken ring: coasting, nobody sees it though somebody should. A question mark: a report contradicts what is known. A double ring and ▲: an alert. A dashed ring and △: one that is expected. Round dots: where a track was. Crosses: what a sensor reported."),
      el("p", { className: "dim" }, `Airpicture ${this.app.about.version}. Map: Natural Earth, OurAirports; not for navigation. Borders as Natural Earth draws them, in fact and not as claimed.`),
    ];
  }
}
