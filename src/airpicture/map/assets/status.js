// The line at the top and what lies at the edges: mode, time, counts, latency, whether the picture is alive, place of the pointer, scale.

import { grouped } from "./counted.js";
import { $, say } from "./dom.js";
import { INPUT_TEXTS } from "./panels.js";
import { clock, day, position, seconds } from "./units.js";

const EVERY_MS = 250, CONNECTING_MS = 2500;

export class Status {
  constructor(app) {
    this.app = app;
    this.began = performance.now();
    this.known = new Set();
    setInterval(() => this.draw(), EVERY_MS);
  }

  draw() {
    const { app } = this, { clock: time, look, picture } = app, frame = time.frame, frozen = time.frozen();
    document.body.classList.toggle("frozen", frozen);
    const mode = frozen ? "frozen" : app.timeline.past ? "past" : frame ? frame.mode : "";
    if (mode && $("mode").dataset.mode !== mode) { $("mode").dataset.mode = mode; $("mode").textContent = mode.toUpperCase(); if (mode !== "past") say(`The picture is ${mode}`); app.wake(); }
    $("clock").textContent = frame ? clock(time.now()) : "--:--:--";
    $("clock").title = frame ? `${day(time.now())} UTC, time of the picture` : "";
    $("count").textContent = look.visible === picture.n ? grouped(picture.n) : `${grouped(look.visible)}/${grouped(picture.n)}`;
    $("late").hidden = Boolean(frame) && frame.mode !== "live"; // of a recording it says nothing
    const latency = frame ? (Number.isFinite(frame.arrived) ? frame.made - frame.arrived : 0) + Math.max(0, time.lag) : NaN;
    $("latency").textContent = frozen ? "–" : Number.isFinite(latency) ? (latency < 1000 ? `${Math.round(latency)} ms` : seconds(latency / 1000)) : "–";
    this.banner(frozen);
    app.past.draw();
    app.tip.draw();
    app.timeline.draw();
    this.scale();
  }

  banner(frozen) {
    const { clock: time } = this.app, box = $("banner"), waiting = !time.frame && performance.now() - this.began > CONNECTING_MS;
    const text = frozen ? `Frozen: no picture for ${seconds(time.silence() / 1000)}. ${time.connected ? "The service is silent." : "The connection is lost, trying again."}`
      : this.nothing() || (waiting ? (time.connected ? "Connected. The service has no picture yet: the first time it runs it compiles for a minute." : "Connecting…") : "");
    if (box.textContent !== text) box.textContent = text;
    box.hidden = !text;
  }

  // What to say where there's nothing to see because nothing comes in.
  nothing() {
    const { inputs, picture, timeline } = this.app;
    if (timeline.past || picture.n || !inputs.length || inputs.some(({ state }) => state === "reports" || state === "quiet")) return "";
    const [{ name, state }] = inputs, said = { nothing: "has sent nothing yet", lost: "was lost", unread: "brings bytes that tell nothing" };
    const one = said[state] || INPUT_TEXTS[state];
    return inputs.length === 1 ? `Nothing comes in: ${name} ${one}.` : `Nothing comes in from any of ${inputs.length} inputs.`;
  }

  alerts(alerts) {
    $("badge").hidden = !alerts.length;
    $("badge").textContent = alerts.length > 99 ? "99+" : String(alerts.length);
    document.querySelector("[data-panel=alerts]").setAttribute("aria-label", alerts.length ? `Alerts, ${alerts.length}` : "Alerts");
    for (const alert of alerts) if (!this.known.has(alert.key) && alert.level !== "notice") say(alert.text);
    this.known = new Set(alerts.map((alert) => alert.key));
  }

  cursor(lngLat) { $("cursor").textContent = position(lngLat.lat, lngLat.lng); }

  // A bar of a round length, about a hundred pixels long.
  scale() {
    const { camera, units } = this.app, unit = units.si ? 1000 : 1852, wanted = (110 * camera.metresPerPixel) / unit;
    if (!camera.ready || !(wanted > 0)) return;
    const power = 10 ** Math.floor(Math.log10(wanted)), lead = wanted / power, round = (lead >= 5 ? 5 : lead >= 2 ? 2 : 1) * power;
    $("scale").children[0].style.width = `${(round * unit) / camera.metresPerPixel}px`;
    $("scale").children[1].textContent = `${+round.toPrecision(2)} ${units.si ? "km" : "NM"}`;
  }
}
