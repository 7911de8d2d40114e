// Distance and bearing: between two places, or from a track that moves to a place or to another track.

import { RAD, between } from "./camera.js";
import { $ } from "./dom.js";
import { bearing } from "./units.js";

export class Measure {
  constructor(app) {
    Object.assign(this, { app, on: false, ends: [], hover: null });
    this.button = document.querySelector("[data-do=measure]");
  }

  toggle(on = !this.on) {
    this.on = on;
    this.ends = [];
    this.hover = null;
    this.button.setAttribute("aria-pressed", String(on));
    document.body.classList.toggle("measuring", on);
    if (on) this.app.toast("Click two places or tracks");
    this.app.wake();
  }

  // An end at a place, held to the track under it.
  click(lat, lon, track) {
    if (this.ends.length === 2) this.ends = [];
    this.ends.push({ lat, lon, track });
    this.app.wake();
  }

  move(lat, lon) { this.hover = { lat, lon, track: -1 }; }

  where(end) {
    const slot = end.track >= 0 ? this.app.picture.slots.get(end.track) : undefined;
    return slot === undefined ? [end.lat, end.lon] : this.app.placeOf(slot);
  }

  // Draw the line along the great circle, with what it measures beside its end.
  draw(c) {
    const ends = this.ends.length === 1 && this.hover ? [this.ends[0], this.hover] : this.ends;
    if (ends.length < 2) return;
    const [[la, lo], [lb, lp]] = ends.map((end) => this.where(end)), { camera, units, look, picture } = this.app, theme = look.theme();
    const [metres, course] = between(la, lo, lb, lp), [, back] = between(lb, lp, la, lo), out = [0, 0], n = 48;
    c.strokeStyle = theme.measure;
    c.lineWidth = 1.6;
    c.setLineDash([6, 4]);
    c.beginPath();
    const d = metres / 6371008.8;
    for (let k = 0; k <= n; k++) {
      const f = k / n, a = d > 1e-9 ? Math.sin((1 - f) * d) / Math.sin(d) : 1 - f, b = d > 1e-9 ? Math.sin(f * d) / Math.sin(d) : f;
      const x = a * Math.cos(la) * Math.cos(lo) + b * Math.cos(lb) * Math.cos(lp), y = a * Math.cos(la) * Math.sin(lo) + b * Math.cos(lb) * Math.sin(lp), z = a * Math.sin(la) + b * Math.sin(lb);
      camera.project(Math.atan2(z, Math.hypot(x, y)), Math.atan2(y, x), out);
      if (k) c.lineTo(out[0], out[1]); else c.moveTo(out[0], out[1]);
    }
    c.stroke();
    c.setLineDash([]);
    camera.project(lb, lp, out);
    const lines = [units.distance(metres), `${bearing(course)} / ${bearing(back)}`];
    const slot = this.ends[0].track >= 0 ? picture.slots.get(this.ends[0].track) : undefined;
    const speed = slot === undefined ? NaN : Math.hypot(picture.ve[slot], picture.vn[slot]);
    if (speed > 5) lines.push(`${Math.round(metres / speed / 6) / 10} min at its speed`);
    this.text = lines.join(", ");
    c.font = "12px ui-monospace, Menlo, Consolas, monospace";
    c.textBaseline = "top";
    const w = Math.max(...lines.map((line) => c.measureText(line).width)) + 14, h = 15 * lines.length + 9;
    const x = Math.min(out[0] + 14, camera.width - w - 4), y = Math.max(4, Math.min(out[1] - h / 2, camera.height - h - 4));
    c.fillStyle = getComputedStyle($("bar")).backgroundColor;
    c.beginPath();
    c.roundRect(x, y, w, h, 6);
    c.fill();
    c.strokeStyle = theme.measure;
    c.lineWidth = 1;
    c.stroke();
    c.fillStyle = theme.text;
    lines.forEach((line, k) => c.fillText(line, x + 7, y + 6 + 15 * k));
  }
}

export const toDegrees = ([lat, lon]) => [lat / RAD, lon / RAD];
