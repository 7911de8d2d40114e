// The time line of a replay: where it is, how much went on when, pause, speed, steps and jumps. It asks; the service decides for all
// who look on.

import { $, el } from "./dom.js";
import { clock, day } from "./units.js";

const RATES = [0.5, 1, 2, 5, 10, 30, 60, 120];
const PLAY = "M7 4v16l13-8z", PAUSE = "M6 4h4v16H6zM14 4h4v16h-4z";

export class Timeline {
  constructor(link, now) {
    Object.assign(this, { link, clock: now, told: null, dragging: false });
    $("play").addEventListener("click", () => this.toggle());
    $("back").addEventListener("click", () => this.step(-10));
    $("forth").addEventListener("click", () => this.step(10));
    $("loop").addEventListener("click", () => this.ask({ do: "loop", value: !this.told.loop }));
    $("rate").append(...RATES.map((rate) => el("option", { value: String(rate) }, `${rate}×`)));
    $("rate").addEventListener("change", () => this.ask({ do: "speed", value: Number($("rate").value) }));
    this.hover();
    const seek = $("seek");
    seek.addEventListener("input", () => { this.dragging = true; this.draw(); });
    seek.addEventListener("change", () => { this.dragging = false; this.seek(this.at(Number(seek.value) / 1000)); });
  }

  // What time it is below the pointer.
  hover() {
    const seek = $("seek"), box = $("hover"), over = (event) => {
      const { left, width } = seek.getBoundingClientRect(), part = Math.max(0, Math.min(1, (event.clientX - left) / width));
      box.hidden = !this.told;
      if (!this.told) return;
      box.textContent = this.long ? `${day(this.at(part))} ${clock(this.at(part))}` : clock(this.at(part));
      box.style.left = `${part * width}px`;
    };
    seek.addEventListener("pointermove", over);
    seek.addEventListener("pointerleave", () => { box.hidden = true; });
  }

  get long() { return this.told.end - this.told.begin > 20 * 3600e3; } // so that a time alone doesn't say which

  ask(word) { this.link.say("replay", word); }
  toggle() { if (this.told) this.ask({ do: this.told.paused ? "play" : "pause" }); }
  step(seconds) { this.ask({ do: "step", seconds }); }
  seek(t) { this.ask({ do: "seek", t }); }
  at(part) { return this.told.begin + part * (this.told.end - this.told.begin); }

  faster(by) {
    if (!this.told) return;
    const here = RATES.findIndex((rate) => rate >= this.told.rate);
    this.ask({ do: "speed", value: RATES[Math.max(0, Math.min(RATES.length - 1, (here < 0 ? RATES.length - 1 : here) + by))] });
  }

  take(told) {
    this.told = told;
    $("line").hidden = !told;
    document.body.classList.toggle("replaying", Boolean(told));
    if (!told) return;
    const name = told.paused ? "Play" : "Pause", ns = "http://www.w3.org/2000/svg", svg = document.createElementNS(ns, "svg"), path = document.createElementNS(ns, "path");
    svg.setAttribute("viewBox", "0 0 24 24");
    path.setAttribute("d", told.paused ? PLAY : PAUSE);
    svg.append(path);
    $("play").replaceChildren(svg);
    $("play").setAttribute("aria-label", name);
    $("loop").setAttribute("aria-pressed", String(told.loop));
    if (!RATES.includes(told.rate) && ![...$("rate").options].some((o) => Number(o.value) === told.rate)) $("rate").append(el("option", { value: String(told.rate) }, `${told.rate}×`));
    $("rate").value = String(told.rate);
    this.draw();
  }

  // Move the handle to the time of the picture, and draw the traffic behind it.
  draw() {
    const told = this.told;
    if (!told) return;
    const seek = $("seek"), part = this.dragging ? Number(seek.value) / 1000 : Math.max(0, Math.min(1, (this.clock.now() - told.begin) / Math.max(1, told.end - told.begin)));
    if (!this.dragging) seek.value = String(Math.round(1000 * part));
    const shown = this.at(part);
    seek.setAttribute("aria-valuetext", `${clock(shown)} UTC`);
    $("when").textContent = clock(shown);
    $("when").title = `${day(shown)} UTC`;
    const canvas = $("traffic"), ratio = window.devicePixelRatio || 1, w = canvas.clientWidth, h = canvas.clientHeight;
    if (!w) return;
    if (canvas.width !== Math.round(w * ratio)) { canvas.width = Math.round(w * ratio); canvas.height = Math.round(h * ratio); }
    const c = canvas.getContext("2d"), style = getComputedStyle(document.documentElement), most = Math.max(1, ...told.traffic), each = w / told.traffic.length;
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.clearRect(0, 0, w, h);
    c.fillStyle = style.getPropertyValue("--field");
    c.fillRect(0, 0, w, h);
    told.traffic.forEach((n, k) => {
      c.fillStyle = (k + 0.5) / told.traffic.length <= part ? style.getPropertyValue("--accent") : style.getPropertyValue("--dim");
      c.globalAlpha = 0.55;
      const high = (n / most) * (h - 4);
      c.fillRect(k * each, h - high, Math.max(1, each - 1), high);
    });
    c.globalAlpha = 1;
  }
}
