// A track's whole story: who it is, where and how sure, who sees it, what it did.

import { category } from "./categories.js";
import { chart } from "./chart.js";
import { $, el } from "./dom.js";
import { bearing, clock, position, seconds } from "./units.js";

const DASH = "–";
const TECHNOLOGY_NAMES = { PSR: "primary radar", SSR: "secondary radar", MDS: "Mode S", ADS: "ADS-B", MLT: "multilateration" };
const EMERGENCIES = { "7500": "unlawful interference", "7600": "radio failure", "7700": "emergency" };

export class Story {
  constructor(units, look, does) {
    Object.assign(this, { units, look, does, box: $("story"), told: null, following: false });
  }

  // Show what the service tells of the selected track; null closes the panel.
  show(told) {
    this.told = told;
    this.box.hidden = told === null;
    if (told === null) return this.box.replaceChildren();
    const held = this.box.contains(document.activeElement) ? document.activeElement.dataset.key : "", scrolled = this.box.scrollTop;
    this.box.replaceChildren(...(told.status === "ended" || told.waiting ? this.short(told) : this.whole(told)));
    this.box.scrollTop = scrolled;
    if (held) this.box.querySelector(`[data-key="${held}"]`)?.focus({ preventScroll: true });
  }

  head(name) {
    return el("h2", { className: "story-name" }, el("span", {}, name),
      el("button", { type: "button", className: "close", "data-key": "close", "aria-label": "Close", title: "Close  (Esc)", on: { click: () => this.does.close() } }, "×"));
  }

  short(told) {
    return [this.head("#" + told.track), el("p", { className: "dim" }, told.waiting ? "Asking…" : this.does.past() ? "There is no such track at this time." : "This track has ended.")];
  }

  whole(s) {
    const u = this.units, rows = (pairs) => el("dl", { className: "rows" }, ...pairs.filter(Boolean).flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
    const title = (text) => el("h3", {}, text), num = (value) => (value === null || value === undefined ? NaN : value);
    const speed = Math.hypot(num(s.v_east), num(s.v_north)), course = Math.atan2(num(s.v_east), num(s.v_north));
    const baro = s.h_baro !== null, age = s.t_plot === null ? NaN : (s.t - s.t_plot) / 1000, emergency = EMERGENCIES[s.mode_3a];
    const tag = (text, kind = "") => el("span", { className: "tag " + kind }, text);
    const sigma = ellipse(num(s.sigma_east), num(s.sigma_north), num(s.rho) || 0);
    const turning = num(s.a_east) * num(s.v_north) - num(s.a_north) * num(s.v_east);
    const g = Math.hypot(num(s.a_east), num(s.a_north)) / 9.80665;
    const made = [
      this.head(s.callsign || s.address || (s.mode_3a ? "A" + s.mode_3a : "#" + s.track)),
      el("div", { className: "tags" }, tag(s.status, s.status === "confirmed" ? "good" : "warn"), emergency ? tag(`${s.mode_3a} ${emergency}`, "bad") : null, ...s.alerts.map((text) => tag(text, "bad")),
        category(s.category) ? tag(category(s.category)) : null, s.on_ground === true ? tag("on the ground") : null,
        s.address ? tag(s.address) : null, s.mode_3a && !emergency ? tag("A " + s.mode_3a) : null, tag("#" + s.track)),
      el("div", { className: "big" },
        el("div", {}, el("small", {}, baro ? "Level" : "Height"), el("b", {}, u.height(baro ? s.h_baro : num(s.h_ell)))),
        el("div", {}, el("small", {}, "Speed"), el("b", {}, u.speed(speed))),
        el("div", {}, el("small", {}, "Course"), el("b", {}, speed > 1 ? bearing(course) : DASH))),
      title("Position"),
      rows([
        ["place", position(num(s.lat), num(s.lon))],
        ["accuracy, 95 %", Number.isFinite(sigma[0]) ? `${u.accuracy(2.4477 * sigma[0])} × ${u.accuracy(2.4477 * sigma[1])}` : DASH],
        baro && s.h_ell !== null ? ["above ellipsoid", u.height(s.h_ell)] : null,
        s.sigma_up !== null ? ["height σ", u.accuracy(s.sigma_up) + (s.h_from_baro ? ", from pressure" : "")] : null,
        ["climb", u.climb(num(s.v_up))],
        s.sigma_v_east !== null ? ["speed σ", u.speed(Math.hypot(s.sigma_v_east, num(s.sigma_v_north)) / Math.SQRT2)] : null,
        ["existence", s.existence === null ? DASH : `${(100 * s.existence).toFixed(s.existence > 0.99 && s.existence < 1 ? 1 : 0)} %`],
      ]),
      ...(s.turn ? [title("Motion"), el("div", { className: "bars" }, ...[["left turn", s.turn.left], ["right turn", s.turn.right], ["straight", Math.max(0, 1 - s.turn.left - s.turn.right)]].flatMap(([name, value]) => {
        const fill = el("i");
        fill.style.width = `${100 * value}%`;
        return [el("span", {}, name), el("div", { className: "bar" }, fill), el("b", {}, `${Math.round(100 * value)} %`)];
      })), g > 0.02 ? el("p", { className: "dim" }, `${g.toFixed(g < 1 ? 2 : 1)} g${Math.abs(turning) > 1 ? (turning > 0 ? " to the right" : " to the left") : ""}`) : null] : []),
      title("Seen by"),
      rows([
        ["last plot", Number.isFinite(age) ? `${seconds(age)} ago` + (s.last_sensor ? `, ${s.last_sensor}` : "") : DASH],
        s.sensors.length ? ["sensors", s.sensors.join(", ")] : null,
        ...Object.entries(s.technologies).map(([name, t]) => [TECHNOLOGY_NAMES[name] || name, `${seconds((s.t - t) / 1000)} ago`]),
        ["plots", String(s.plots)],
        s.t_first ? ["since", `${clock(s.t_first)} (${seconds((s.t - s.t_first) / 1000)})`] : null,
      ]),
      title("Course of the flight"),
      ...this.charts(s),
      el("div", { className: "actions" },
        el("button", { type: "button", "data-key": "follow", title: "Keep it in the middle  (c)", "aria-pressed": String(this.following), on: { click: () => this.does.follow() } }, this.following ? "Following" : "Follow"),
        el("button", { type: "button", "data-key": "go", title: "Bring it to the middle", on: { click: () => this.does.center() } }, "Centre"),
        el("button", { type: "button", "data-key": "copy", title: "Copy position and identity", on: { click: () => this.does.copy(this.text(s)) } }, "Copy")),
    ];
    return made.filter(Boolean);
  }

  charts(s) {
    const [feet, foot] = this.units.heightAxis(), [knots, knot] = this.units.speedAxis(), palette = this.look.theme().palette;
    const heights = s.past.t.map((_, k) => s.past.baro[k] ?? s.past.h[k]);
    const one = (name, values, factor, unit, colour) => {
      const canvas = el("canvas", { className: "chart", role: "img" });
      const known = values.filter((v) => v !== null);
      const now = known.length ? `${Math.round(known[known.length - 1] * factor)} ${unit}` : DASH;
      canvas.setAttribute("aria-label", `${name} over time, now ${now}`);
      requestAnimationFrame(() => chart(canvas, s.past.t, values.map((v) => (v === null ? NaN : v * factor)), colour, getComputedStyle(document.documentElement)));
      return [el("div", { className: "chart-head" }, el("span", {}, `${name}, ${unit}`), el("span", {}, now)), canvas];
    };
    return [...one("Height", heights, feet, foot, palette.blue), ...one("Speed", s.past.speed, knots, knot, palette.orange)];
  }

  text(s) {
    return [s.callsign, s.address, s.mode_3a && "A" + s.mode_3a, "#" + s.track, s.lat !== null && `${s.lat.toFixed(6)}, ${s.lon.toFixed(6)}`, clock(s.t) + "Z"].filter(Boolean).join(" ");
  }
}

// Half axes of one sigma.
function ellipse(se, sn, rho) {
  const a = se * se, b = rho * se * sn, d = sn * sn, middle = (a + d) / 2, spread = Math.hypot((a - d) / 2, b);
  return [Math.sqrt(middle + spread), Math.sqrt(Math.max(0, middle - spread))];
}
