// The time line: where one is, how much went on when, pause, speed, steps and jumps. It asks; the service decides.
//
// Of a recording (`airpicture view`) there's one for all who look on. Over a live picture each display has its own: it goes back in the
// service's history by itself, and comes back to the present with one click.

import { $, el, toast } from "./dom.js";
import { clock, day } from "./units.js";

const RATES = [0.5, 1, 2, 5, 10, 30, 60, 120];
const PLAY = "M7 4v16l13-8z", PAUSE = "M6 4h4v16H6zM14 4h4v16h-4z";
const SPANS = [[600, "10 min"], [3600, "1 h"], [21600, "6 h"], [86400, "24 h"], [604800, "7 days"], [31622400, "all"]]; // of a history, s
const ASK_MS = 5000; // a history grows
const EDGE_S = 2; // nearer to the newest than this is the present
const BACK_S = 10;

export class Timeline {
  constructor(link, now, history = false) {
    Object.assign(this, { link, clock: now, history, told: null, line: null, span: 3600, dragging: false });
    $("play").addEventListener("click", () => this.toggle());
    $("back").addEventListener("click", () => this.step(-BACK_S));
    $("forth").addEventListener("click", () => this.step(BACK_S));
    $("loop").addEventListener("click", () => this.ask({ do: "loop", value: !this.told.loop }));
    $("live").addEventListener("click", () => this.live());
    rates($("rate"), (value) => this.ask({ do: "speed", value }));
    $("span").append(...SPANS.map(([value, text]) => el("option", { value: String(value) }, text)));
    $("span").value = String(this.span);
    $("span").addEventListener("change", () => { this.span = Number($("span").value); this.look(); });
    $("goto").addEventListener("change", () => this.goto($("goto")));
    this.hover();
    const seek = $("seek");
    seek.addEventListener("input", () => { this.dragging = true; this.draw(); });
    seek.addEventListener("change", () => { this.dragging = false; this.seek(this.at(Number(seek.value) / 1000)); });
    if (!history) return;
    link.addEventListener("word", ({ detail }) => { if (detail.line) { this.line = detail.line; this.show(); } });
    link.addEventListener("up", () => { if (this.past) { this.ask({ do: "seek", t: this.clock.now() }); if (this.paused) this.ask({ do: "pause" }); } }); // where it was when the line was lost
    this.look();
    setInterval(() => { if (!document.hidden) this.look(); }, ASK_MS);
  }

  // Ask for the line of a history anew: it has grown.
  look() { this.link.say("line", this.span, true); }

  // What time it is below the pointer.
  hover() {
    const seek = $("seek"), box = $("hover"), over = (event) => {
      const { left, width } = seek.getBoundingClientRect(), part = Math.max(0, Math.min(1, (event.clientX - left) / width));
      box.hidden = !this.ends;
      if (!this.ends) return;
      box.textContent = this.long ? `${day(this.at(part))} ${clock(this.at(part))}` : clock(this.at(part));
      box.style.left = `${part * width}px`;
    };
    seek.addEventListener("pointermove", over);
    seek.addEventListener("pointerleave", () => { box.hidden = true; });
  }

  get past() { return Boolean(this.told?.past); } // looks at the past of a live picture
  get shown() { return this.history ? Boolean(this.line?.end) : Boolean(this.told?.end); }
  get paused() { return Boolean(this.told?.paused); }

  // The two ends, ms UTC: of a history the newer one is now.
  get ends() {
    if (!this.shown) return null;
    if (!this.history) return [this.told.begin, this.told.end];
    return [this.line.begin, this.past ? this.line.end : Math.max(this.line.end, this.clock.now())];
  }

  get long() { const [begin, end] = this.ends; return end - begin > 20 * 3600e3 || day(begin) !== day(end); } // so that a time alone doesn't say which
  at(part) { const [begin, end] = this.ends; return begin + part * (end - begin); }

  ask(word) { this.link.say("replay", word); }
  toggle() { if (this.shown) this.ask({ do: this.paused ? "play" : "pause" }); }
  live() { if (this.past) this.ask({ do: "live" }); }

  // From the present a step back begins to play there; else a step stands still where it leads.
  step(seconds) {
    if (!this.shown) return;
    if (!this.history || this.past) this.ask({ do: "step", seconds });
    else if (seconds < 0) this.seek(this.clock.now() + 1000 * seconds);
  }

  seek(t) {
    if (this.history && this.ends && t > this.ends[1] - 1000 * EDGE_S) this.live(); else this.ask({ do: "seek", t });
  }

  // Go to a time that somebody wrote; without a day it's the last one that there was.
  goto(box) {
    const t = moment(box.value, this.ends ? this.ends[1] : this.clock.now());
    if (Number.isFinite(t)) { this.seek(t); box.value = ""; box.blur(); } else if (box.value.trim()) toast("A time is written 12:30, 12:30:05, or 2026-05-01 12:30");
  }

  faster(by) {
    if (!this.told?.rate) return;
    const here = RATES.findIndex((rate) => rate >= this.told.rate);
    this.ask({ do: "speed", value: RATES[Math.max(0, Math.min(RATES.length - 1, (here < 0 ? RATES.length - 1 : here) + by))] });
  }

  take(told) {
    this.told = told;
    this.show();
  }

  show() {
    const { told, shown, history, past } = this;
    $("line").hidden = !shown;
    document.body.classList.toggle("replaying", shown);
    document.body.classList.toggle("past", past);
    for (const name of ["live", "span", "goto"]) $(name).hidden = !history;
    $("loop").hidden = history;
    $("rate").parentElement.hidden = history && !past;
    $("forth").disabled = history && !past;
    if (!shown) return;
    stands($("play"), this.paused);
    $("loop").setAttribute("aria-pressed", String(Boolean(told?.loop)));
    $("live").setAttribute("aria-pressed", String(!past));
    if (told?.rate) rate($("rate"), told.rate);
    this.draw();
  }

  // Move the handle to the time of the picture, and draw the traffic behind it.
  draw() {
    if (!this.shown) return;
    const [begin, end] = this.ends, traffic = (this.history ? this.line : this.told).traffic;
    const seek = $("seek"), part = this.dragging ? Number(seek.value) / 1000 : this.history && !this.past ? 1 : Math.max(0, Math.min(1, (this.clock.now() - begin) / Math.max(1, end - begin)));
    if (!this.dragging) seek.value = String(Math.round(1000 * part));
    const now = this.dragging ? this.at(part) : this.clock.now();
    seek.setAttribute("aria-valuetext", this.history && !this.past && !this.dragging ? "the present" : `${clock(now)} UTC`);
    $("when").textContent = this.long && this.past ? `${day(now).slice(5)} ${clock(now)}` : clock(now);
    $("when").title = `${day(now)} UTC`;
    const canvas = $("traffic"), ratio = window.devicePixelRatio || 1, w = canvas.clientWidth, h = canvas.clientHeight;
    if (!w) return;
    if (canvas.width !== Math.round(w * ratio)) { canvas.width = Math.round(w * ratio); canvas.height = Math.round(h * ratio); }
    const c = canvas.getContext("2d"), style = getComputedStyle(document.documentElement), most = Math.max(1, ...traffic), each = w / traffic.length;
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.clearRect(0, 0, w, h);
    c.fillStyle = style.getPropertyValue("--field");
    c.fillRect(0, 0, w, h);
    traffic.forEach((n, k) => {
      c.fillStyle = (k + 0.5) / traffic.length <= part ? style.getPropertyValue(this.past ? "--warn" : "--accent") : style.getPropertyValue("--dim");
      c.globalAlpha = 0.55;
      const high = (n / most) * (h - 4);
      c.fillRect(k * each, h - high, Math.max(1, each - 1), high);
    });
    c.globalAlpha = 1;
  }
}

// A written time in ms UTC, at or before another one where it names no day; NaN where it's none.
export function moment(text, before) {
  const found = /^(?:(\d{4}-\d{2}-\d{2})[ T]+)?(\d{1,2}):(\d{2})(?::(\d{2}))?\s*(?:Z|UTC)?$/i.exec(text.trim());
  if (!found) return NaN;
  const [, date, h, m, s] = found, t = Date.parse(`${date || day(before)}T${h.padStart(2, "0")}:${m}:${s || "00"}Z`);
  return date || t <= before ? t : t - 86400e3;
}

// Make a choice of speeds.
export function rates(select, chosen) {
  select.append(...RATES.map((value) => el("option", { value: String(value) }, `${value}×`)));
  select.addEventListener("change", () => chosen(Number(select.value)));
}

// Show a speed, which may be none of the usual ones.
export function rate(select, value) {
  if (![...select.options].some((one) => Number(one.value) === value)) select.append(el("option", { value: String(value) }, `${+value.toPrecision(3)}×`));
  select.value = String(value);
}

// Have a button say what a click on it does.
export function stands(button, paused) {
  const name = paused ? "Play" : "Pause";
  if (button.getAttribute("aria-label") === name && button.firstChild) return;
  const ns = "http://www.w3.org/2000/svg", svg = document.createElementNS(ns, "svg"), path = document.createElementNS(ns, "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  path.setAttribute("d", paused ? PLAY : PAUSE);
  svg.append(path);
  button.replaceChildren(svg);
  button.setAttribute("aria-label", name);
}
