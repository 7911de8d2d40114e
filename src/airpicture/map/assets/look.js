// How tracks look and which of them are shown: from the options and the picture to colours, flags and sizes.

import { FLAGS } from "./layer.js";
import { SENSOR_COLOURS, SOURCE_COLOURS, THEMES, word } from "./theme.js";

export const KINDS = ["aircraft", "fast", "slow", "surface", "still"];
export const KIND_TEXTS = ["aircraft", "over 360 m/s", "slow in the air", "on the surface", "standing, or unknown"];
export const SOURCES = ["ADS-B", "MLAT", "Mode S", "SSR", "PSR"]; // best first
const SOURCE_BITS = { "ADS-B": 8, MLAT: 16, "Mode S": 4, SSR: 2, PSR: 1 };
const SOURCE_SHAPES = { "ADS-B": 8, MLAT: 7, "Mode S": 6, SSR: 6, PSR: 9, none: 4 };
export const STATUS_COLOURS = ["yellow", "blue", "orange", "grey"];
const ALERT_FLAGS = [0, FLAGS.predicted, FLAGS.alert];
const PLAIN_BELOW = 4.6, PLAIN_UNTIL = 5.2; // pixels: symbols become dots, and symbols again
const FT = 0.3048;

export class Look {
  constructor(picture, options, clock, camera) {
    Object.assign(this, { picture, options, clock, camera });
    this.selected = -1; // track number
    this.offPlots = new Set(); // sensors whose plots aren't shown
    this.plain = false;
    this.spacing = undefined; // pixels between tracks on the screen, as the labels last found it
    this.filter();
    this.repaint();
  }

  now() { return this.clock.now(); }
  theme() { return THEMES[this.themeName()]; }
  themeName() {
    const chosen = this.options.get("theme");
    return chosen === "auto" ? (matchMedia("(prefers-color-scheme: light)").matches ? "light" : "dark") : chosen === "light" ? "light" : "dark";
  }
  fade() { return this.clock.frozen() ? 0.4 : 1; }
  vector() { return this.options.get("vector"); }
  ellipses() { return this.options.get("ellipses"); }
  trail() { return this.options.get("trail"); }
  plots() { return this.options.get("plots"); }

  // Colours as words, made once for a theme.
  repaint() {
    const t = this.theme();
    this.sourceWords = Object.fromEntries(Object.entries(SOURCE_COLOURS).map(([name, colour]) => [name, word(t.palette[colour])]));
    this.heightWords = t.heights.map((colour) => word(colour));
    this.statusWords = STATUS_COLOURS.map((name) => word(t.palette[name]));
    this.sensorWords = SENSOR_COLOURS.map((name) => word(t.palette[name], 170));
    this.unknownWord = word(t.unknown);
  }

  // Filters, read once for a change of options.
  filter() {
    const list = (name) => new Set(this.options.get(name).split(",").filter(Boolean));
    const level = (name) => { const v = this.options.get(name); return v === "" || !Number.isFinite(Number(v)) ? NaN : Number(v) * 100 * FT; };
    const area = this.options.get("area").split(",").map(Number);
    this.tentative = this.options.get("tentative");
    this.off = { kinds: list("kinds"), sources: list("sources"), statuses: list("statuses") };
    this.low = level("heightMin");
    this.high = level("heightMax");
    this.area = area.length === 4 && area.every(Number.isFinite) ? area.map((v) => (v * Math.PI) / 180) : null;
  }

  get filtered() {
    return this.off.kinds.size + this.off.sources.size + this.off.statuses.size > 0 || Number.isFinite(this.low) || Number.isFinite(this.high) || this.area !== null;
  }

  source(slot) {
    const tech = this.picture.tech[slot];
    return SOURCES.find((name) => tech & SOURCE_BITS[name]) || "none";
  }

  shows(slot) {
    const p = this.picture, off = this.off;
    if (p.id[slot] === this.selected) return true;
    if (p.status[slot] === 0 && !this.tentative) return false;
    if (off.kinds.has(KINDS[p.shape[slot]]) || off.statuses.has(String(p.status[slot]))) return false;
    if (off.sources.size && off.sources.has(this.source(slot))) return false;
    const height = p.height(slot);
    if (Number.isFinite(this.low) && !(height >= this.low)) return false;
    if (Number.isFinite(this.high) && !(height <= this.high)) return false;
    if (this.area) {
      const [w, s, e, n] = this.area, turn = 2 * Math.PI, lon = (((p.lon[slot] - w) % turn) + turn) % turn;
      if (p.lat[slot] < s || p.lat[slot] > n || lon > ((((e - w) % turn) + turn) % turn)) return false;
    }
    return true;
  }

  // Decide anew whether a track is shown; true where that has changed.
  choose(slot) {
    const p = this.picture, hidden = this.shows(slot) ? 0 : 1;
    if (p.hidden[slot] === hidden) return false;
    p.hidden[slot] = hidden;
    return true;
  }

  get visible() {
    const p = this.picture;
    let hidden = 0;
    for (let slot = 0; slot < p.n; slot++) hidden += p.hidden[slot];
    return p.n - hidden;
  }

  flags(slot) {
    const p = this.picture;
    return (p.status[slot] === 2 ? FLAGS.coasting : 0) | (p.status[slot] === 0 ? FLAGS.tentative : 0) | (p.doubtful[slot] ? FLAGS.doubtful : 0)
      | ALERT_FLAGS[p.alert[slot]] | (p.id[slot] === this.selected ? FLAGS.selected : 0) | (p.hidden[slot] ? FLAGS.hidden : 0);
  }

  shape(slot) {
    return this.options.get("symbols") === "source" ? SOURCE_SHAPES[this.source(slot)] : this.picture.status[slot] === 0 ? 5 : this.picture.shape[slot];
  }

  colour(slot) {
    const p = this.picture;
    switch (this.options.get("colour")) {
      case "height": {
        const height = p.height(slot);
        return Number.isFinite(height) ? this.heightWords[Math.max(0, Math.min(6, Math.floor(height / 1900)))] : this.unknownWord;
      }
      case "status": return this.statusWords[p.status[slot]];
      case "age": {
        const age = (this.now() - p.plotT[slot]) / 1000;
        return Number.isFinite(age) ? this.heightWords[Math.max(0, Math.min(6, 6 - Math.floor(age / 5)))] : this.unknownWord;
      }
      default: return this.sourceWords[this.source(slot)];
    }
  }

  css(slot) {
    const w = this.colour(slot);
    return `rgb(${w & 255},${(w >> 8) & 255},${(w >> 16) & 255})`;
  }

  plotColour(sensor) { return this.offPlots.has(sensor) ? 0 : this.sensorWords[sensor % this.sensorWords.length]; }

  // Sizes by room on the screen: from dots where symbols would cover one another, to full symbols.
  size() {
    const symbol = Math.max(2.2, Math.min(13, 1.5 + (this.spacing ?? 40) * 0.26)) || 8;
    this.plain = symbol < (this.plain ? PLAIN_UNTIL : PLAIN_BELOW);
    return { symbol, plain: this.plain, dot: Math.max(1.6, Math.min(4, symbol * 0.3)), plot: Math.max(2.4, Math.min(5, symbol * 0.42)) };
  }
}
