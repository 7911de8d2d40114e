// Data blocks beside tracks, on a canvas above the map: never one over another, over a symbol or under a panel, held to their track by
// a line, as many as people can read. Where they go is decided anew a few times a second; between, only those that are shown move on.
// Each is drawn once for what it says, and a bounded number of new ones at a time.

import { projectRows } from "./camera.js";
import { Grid } from "./grid.js";
import { climbArrow } from "./units.js";
import { ON_GROUND } from "./wire.js";

const FONT = "11px ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace", LINE = 13;
const CAP = 320, AGAIN_MS = 220, MOVING_MS = 50; // places are found anew so often, and where the view moves; blocks go along with it meanwhile
export const SPRITES_MAX = 48; // blocks written anew at a time, some 5 ms; of others what they said before
const SPRITES_KEPT = 1500;
const TRIES_MAX = 2000; // tracks that a place is looked for
const SHARE = 6; // of the time at most one part in so many goes into finding places
export const ALERTS = ["", "△ ", "▲ "]; // none, expected, present
const SIDES = [[14, -1], [14, 1], [-14, -1], [-14, 1], [0, -1], [0, 1], [30, -1], [30, 1], [-30, -1], [-30, 1]];

export class Labels {
  constructor(canvas, picture, camera, look, options, units) {
    Object.assign(this, { canvas, picture, camera, look, options, units, context: canvas.getContext("2d") });
    this.places = new Map(); // track number -> { side, dx, dy, w, h, key }
    this.sprites = new Map(); // text -> canvas
    this.laid = this.projected = -Infinity;
    this.points = new Float32Array(0); // screen places by slot, as they last were needed
    this.covers = () => []; // elements of the page that lie over the map
    this.names = () => []; // boxes of names on the map
    this.drawn = this.written = 0; // blocks on the screen; written anew when they were last laid
    this.behind = false; // some say what they said before
    this.grid = new Grid();
    this.view = new Float64Array(16); // the camera when places were last looked for
    this.spent = 0; // ms, ever
    this.laying = this.projecting = 0; // ms, the last time
  }

  touch() { this.laid = -Infinity; }
  forget() { this.sprites.clear(); this.touch(); }

  // Screen place of one track, carried on to now.
  put(slot, now) {
    projectRows(this.camera, this.picture, now, slot, slot + 1, this.points);
  }

  // Screen places of all shown tracks; how many are on the screen, and how far from one another.
  project(now) {
    const p = this.picture, { width, height } = this.camera, began = performance.now();
    if (this.points.length < 2 * p.n) this.points = new Float32Array(2 * p.capacity);
    projectRows(this.camera, p, now, 0, p.n, this.points);
    let on = 0, l = Infinity, t = Infinity, r = -Infinity, b = -Infinity;
    for (let slot = 0; slot < p.n; slot++) {
      const x = this.points[2 * slot], y = this.points[2 * slot + 1];
      if (!(x > -20 && y > -20 && x < width + 20 && y < height + 20)) continue;
      on++;
      if (x < l) l = x;
      if (x > r) r = x;
      if (y < t) t = y;
      if (y > b) b = y;
    }
    this.look.onScreen = on;
    this.look.spacing = on ? Math.sqrt((Math.max(40, r - l) * Math.max(40, b - t)) / on) : 100;
    this.projected = performance.now();
    this.projecting = this.projected - began;
    return on;
  }

  level(on) {
    const chosen = this.options.get("labels");
    if (chosen === "off") return 0;
    if (chosen !== "auto") return Number(chosen) || 2;
    if (this.look.size().plain) return 0;
    return on <= 24 ? 3 : on <= 420 ? 2 : on <= 1600 ? 1 : 0;
  }

  // `under` and `over` draw what lies below and above the blocks on the same canvas.
  draw(now, under = () => {}, over = () => {}) {
    const began = performance.now(), c = this.context, ratio = window.devicePixelRatio || 1, { width, height } = this.camera;
    if (this.canvas.width !== Math.round(width * ratio) || this.canvas.height !== Math.round(height * ratio)) {
      this.canvas.width = Math.round(width * ratio);
      this.canvas.height = Math.round(height * ratio);
      this.forget();
    }
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.clearRect(0, 0, width, height);
    if (began - this.laid > (this.elsewhere() ? Math.min(AGAIN_MS, Math.max(MOVING_MS, SHARE * this.laying)) : AGAIN_MS)) {
      this.lay(this.project(now));
      this.laid = this.behind ? -Infinity : began;
      this.laying = performance.now() - began;
      this.view.set(this.camera.globe);
    } else for (const id of this.places.keys()) { const slot = this.picture.slots.get(id); if (slot !== undefined) this.put(slot, now); }
    const fade = this.look.fade(), theme = this.look.theme();
    under(c);
    c.strokeStyle = theme.textDim;
    c.lineWidth = 0.8;
    c.globalAlpha = 0.75 * fade;
    c.beginPath();
    for (const [id, place] of this.places) {
      const slot = this.picture.slots.get(id);
      if (slot === undefined) continue;
      const x = this.points[2 * slot], y = this.points[2 * slot + 1];
      place.x = x + place.dx;
      place.y = y + place.dy;
      const ex = Math.max(place.x, Math.min(place.x + place.w, x)), ey = Math.max(place.y + 2, Math.min(place.y + place.h - 2, y));
      const away = Math.hypot(ex - x, ey - y), from = Math.min(1, 8 / Math.max(away, 1e-6));
      if (away > 9) { c.moveTo(x + (ex - x) * from, y + (ey - y) * from); c.lineTo(ex, ey); }
    }
    c.stroke();
    c.globalAlpha = fade;
    for (const [id, place] of this.places) if (this.picture.slots.has(id) && place.x === place.x) { const { canvas } = place.sprite; c.drawImage(canvas, place.x - 3, place.y - 2, canvas.width / ratio, canvas.height / ratio); }
    c.globalAlpha = 1;
    over(c);
    this.drawn = this.places.size;
    this.spent += performance.now() - began;
  }

  // Whether the camera looks elsewhere than when places were last looked for.
  elsewhere() {
    const { view, camera } = this;
    for (let k = 0; k < 16; k++) if (Math.abs(view[k] - camera.globe[k]) > 1e-5) return true;
    return false;
  }

  // Decide which blocks are shown and where: the selected track and alerts first, then those that had a place, then the rest.
  lay(on) {
    const p = this.picture, look = this.look, level = this.level(on), { width, height } = this.camera, before = this.places;
    const wanted = [], { grid } = this;
    grid.clear(width, height);
    this.written = 0;
    this.behind = false;
    for (const element of this.covers()) { const b = element.getBoundingClientRect(); if (b.width) grid.take(b.left, b.top, b.right, b.bottom, -1); }
    for (const [l, t, r, b] of this.names()) if (r > 0 && b > 0 && l < width && t < height) grid.take(Math.max(l, 0), Math.max(t, 0), Math.min(r, width), Math.min(b, height), -1);
    const soft = grid.count; // symbols, which the block of an alert may lie over before it isn't shown
    for (let slot = 0; slot < p.n; slot++) {
      const x = this.points[2 * slot], y = this.points[2 * slot + 1];
      if (!(x > -10 && y > -10 && x < width + 10 && y < height + 10)) continue;
      if (on < 4000) grid.take(x - 6, y - 6, x + 6, y + 6, p.id[slot]);
      const special = p.id[slot] === look.selected ? 0 : p.alert[slot] ? 2 - p.alert[slot] / 2 : 9; // what is present before what is expected
      if (special === 9 && (level === 0 || (p.status[slot] === 0 && level < 3))) continue;
      wanted.push([special < 9 ? special : before.has(p.id[slot]) ? 2 : p.status[slot] === 0 ? 4 : 3, slot]);
    }
    const hard = grid.count;
    wanted.sort((a, b) => a[0] - b[0] || p.id[a[1]] - p.id[b[1]]);
    this.places = new Map();
    for (const [rank, slot] of wanted.slice(0, TRIES_MAX)) {
      if (this.places.size >= CAP) break;
      const id = p.id[slot], lines = this.lines(slot, rank < 2 ? Math.max(2, level) : level);
      const x = this.points[2 * slot], y = this.points[2 * slot + 1], w = this.width(lines), h = LINE * lines.length, last = before.get(id);
      const first = last ? -1 : 0, each = SIDES.length - first, tries = rank > 0 && rank < 2 ? 2 * each : each;
      for (let k = 0; k < tries; k++) {
        const at = first + (k % each), side = at < 0 ? last.side : at; // where it was, first of all
        const [nx, sy] = SIDES[side], sx = nx + Math.sign(nx) * (rank < 2 ? 12 : 0); // beside a ring, not across it
        const dx = sx > 0 ? sx : sx < 0 ? sx - w : -w / 2, ring = rank < 2 ? 10 : 0, dy = sy < 0 ? (sx === 0 ? -h - 12 - ring : -h + 2 - Math.max(0, Math.abs(sx) - 14) * 0.8) : (sx === 0 ? 12 + ring : -2 + Math.max(0, Math.abs(sx) - 14) * 0.8);
        const l = x + dx - 2, t = y + dy - 1, r = l + w + 4, b = t + h + 2;
        const whole = (l > 0 || x < 0) && (r < width || x > width) && (t > 0 || y < 0) && (b < height || y > height); // not cut by the screen's edge
        if (!(whole && grid.free(l, t, r, b, id, soft, k < each ? 0 : hard)) && !(rank === 0 && k === each - 1)) continue; // the selected one's is always shown
        const sprite = this.sprite(lines, p.alert[slot], w) || last?.sprite;
        if (!sprite) break;
        grid.take(l, t, r, b, id);
        this.places.set(id, { side, dx, dy, w, h, sprite });
        break;
      }
    }
  }

  // Level of detail 1 who, 2 and how high and fast, 3 and how it climbs and what it's called otherwise.
  lines(slot, detail) {
    const p = this.picture, u = this.units, pressure = Number.isFinite(p.baro[slot]);
    const first = ALERTS[p.alert[slot]] + p.name(slot) + (p.doubtful[slot] ? " ?" : "") + (p.status[slot] === 2 ? " ▫" : "");
    if (detail < 2) return [first];
    const level = p.said[slot] === ON_GROUND ? "" : p.shape[slot] === 3 || !Number.isFinite(p.height(slot)) ? "" : u.level(p.height(slot), pressure) + climbArrow(p.vu[slot]);
    const mps = Math.hypot(p.ve[slot], p.vn[slot]), speed = level ? u.speedShort(mps) : Number.isFinite(mps) ? u.speed(mps) : "";
    const second = [p.said[slot] === ON_GROUND ? "ground" : level, speed].filter(Boolean).join(" ");
    if (detail < 3) return [first, second].filter(Boolean);
    const { callsign, address, code } = p.names[slot];
    const third = [callsign && address >= 0 ? address.toString(16).toUpperCase().padStart(6, "0") : "", code >= 0 && p.name(slot) !== "A" + code.toString(8).padStart(4, "0") ? code.toString(8).padStart(4, "0") : "", p.name(slot)[0] === "#" ? "" : "#" + p.id[slot]].filter(Boolean).slice(0, 2).join(" ");
    return [first, second, third].filter(Boolean);
  }

  // Every letter of the font is as wide as any other, marks from another font at most twice.
  width(lines) {
    if (!this.letter) { this.context.font = FONT; this.letter = this.context.measureText("0".repeat(64)).width / 64; }
    return Math.ceil(this.letter * Math.max(...lines.map((text) => text.length + (text[0] > "\u2000"))) + 1);
  }

  sprite(lines, alert, w) {
    const key = alert + lines.join("\n");
    let found = this.sprites.get(key);
    if (found) return found;
    if (this.written >= SPRITES_MAX) { this.behind = true; return null; }
    this.written++;
    if (this.sprites.size > SPRITES_KEPT) for (const old of this.sprites.keys()) { this.sprites.delete(old); if (this.sprites.size <= SPRITES_KEPT / 2) break; }
    const ratio = window.devicePixelRatio || 1, theme = this.look.theme(), canvas = document.createElement("canvas"), c = canvas.getContext("2d");
    const h = LINE * lines.length;
    canvas.width = Math.ceil((w + 6) * ratio);
    canvas.height = Math.ceil((h + 4) * ratio);
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.font = FONT;
    c.textBaseline = "top";
    c.lineJoin = "round";
    if (alert) { c.fillStyle = theme.textHalo; c.fillRect(0, 0, w + 6, h + 4); } // readable whatever it lies on
    lines.forEach((text, k) => {
      c.strokeStyle = theme.textHalo;
      c.lineWidth = 3;
      c.strokeText(text, 3, 3 + LINE * k);
      c.fillStyle = alert > 1 ? theme.alertText : alert ? theme.predictedText : k ? theme.textDim : theme.text;
      c.fillText(text, 3, 3 + LINE * k);
    });
    found = { canvas };
    this.sprites.set(key, found);
    return found;
  }

  // The track near a screen place, -1 where there's none.
  pick(x, y, reach = 18) {
    if (performance.now() - this.projected > Math.max(30, SHARE * this.projecting)) this.project(this.look.now());
    const points = this.points;
    let best = -1, least = reach * reach;
    for (let slot = 0, n = this.picture.n; slot < n; slot++) {
      const dx = points[2 * slot] - x, dy = points[2 * slot + 1] - y, d = dx * dx + dy * dy;
      if (d < least) { least = d; best = this.picture.id[slot]; }
    }
    if (best < 0) for (const [id, q] of this.places) if (x > q.x && x < q.x + q.w && y > q.y && y < q.y + q.h) return id;
    return best;
  }
}
