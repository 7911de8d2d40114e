// What moves: rings, plots, history, symbols, ellipses, labels. Everything is drawn anew each time; 300 tracks take a few ms.

// Okabe and Ito's colours, told apart by people with any common colour blindness; shape says the status a second time.
const THEMES = {
  dark: {
    space: "#05080c", sea: "#0a1522", land: "#1f2a33", coast: "#4d6272", border: "#5b6570", river: "#27475f", grid: "#1c2b3a",
    text: "#dbe5ee", halo: "#0b1118", ring: "#8fa6b6", leader: "#7d8b97", select: "#ffffff",
    status: ["#a9b4bd", "#56b4e9", "#e69f00", "#666666"],
    sensors: ["#2fc79a", "#e08fc0", "#f0e442", "#ff7a33", "#9fd3f5", "#c9c9c9", "#b59bff", "#8bd450"], truth: "#f0e442",
  },
  light: {
    space: "#dfe6ec", sea: "#cfdfea", land: "#f6f4ee", coast: "#7f93a1", border: "#a59c90", river: "#a9c6dc", grid: "#bccddb",
    text: "#14202b", halo: "#f6f4ee", ring: "#5d7485", leader: "#6a7782", select: "#000000",
    status: ["#5f6b75", "#0068a8", "#c25100", "#888888"],
    sensors: ["#00805c", "#b0508a", "#8a7a00", "#c74a00", "#2a86bd", "#555555", "#5b3fc4", "#3f7d00"], truth: "#8a7a00",
  },
};
const HEIGHTS = ["#3b528b", "#2f7fb8", "#21a7a0", "#5ec962", "#b8d635", "#fde725"]; // viridis without its darkest end

function heightColour(ft, h, theme) {
  const value = ft !== NONE ? ft : h !== NONE ? h / 0.3048 : null;
  if (value === null) return theme.status[0];
  return HEIGHTS[Math.max(0, Math.min(HEIGHTS.length - 1, Math.floor(value / 7500)))];
}

class Painter {
  constructor(globe) {
    this.globe = globe;
    this.hits = []; // {k, x, y} of the symbols drawn last
    this.side = new Map(); // where a track's label stood last, so that labels don't jump about
    this.widths = new Map();
  }

  // Screen coordinates of unit vector number m of `points`; false behind the horizon.
  at(points, m, out) {
    const g = this.globe, a = points[3 * m], b = points[3 * m + 1], c = points[3 * m + 2];
    if (a * g.u[0] + b * g.u[1] + c * g.u[2] <= 0) return false;
    out[0] = g.width / 2 + g.k * (a * g.e[0] + b * g.e[1]);
    out[1] = g.height / 2 - g.k * (a * g.n[0] + b * g.n[1] + c * g.n[2]);
    return true;
  }

  draw(context, recording, options, theme, selected) {
    const { width, height } = this.globe;
    context.clearRect(0, 0, width, height);
    context.lineJoin = "round";
    this.theme = theme; this.options = options; this.context = context; this.recording = recording; this.selected = selected;
    this.hits = [];
    if (options.rings) this.rings();
    if (options.truth && recording.truth.t.length) this.truth();
    if (options.plots) this.plots();
    if (options.history > 0) this.history();
    this.place();
    if (options.ellipses !== "off") this.ellipses();
    this.symbols();
    this.sites();
    if (options.labels !== "off") this.labels();
  }

  colour(k) {
    const rec = this.recording, r = rec.row[k];
    if (this.options.colour === "height") return heightColour(rec.ft[r], rec.h[r], this.theme);
    if (this.options.colour === "sensor") return this.theme.sensors[Math.max(0, rec.from[r]) % this.theme.sensors.length];
    return this.theme.status[rec.status[r]];
  }

  rings() {
    const c = this.context, theme = this.theme, spot = [0, 0];
    c.lineWidth = 1;
    c.font = "11px system-ui, sans-serif";
    c.textAlign = "center"; c.textBaseline = "middle";
    for (const ring of this.recording.rings) {
      if (this.options.hidden.has(ring.sensor)) continue;
      const path = new Path2D();
      ring.outline.traceLines(path, this.globe);
      c.strokeStyle = ring.outer ? theme.sensors[ring.sensor % theme.sensors.length] : theme.ring;
      c.globalAlpha = ring.outer ? 0.85 : 0.4;
      c.setLineDash(ring.outer ? [] : [2, 5]);
      c.stroke(path);
      c.setLineDash([]);
      c.globalAlpha = 0.9;
      const places = [Math.floor(ring.lat.length / 8), Math.floor((5 * ring.lat.length) / 8)]; // north-east and south-west
      for (const m of places) {
        if (this.at(ring.outline.points, m, spot) && spot[0] > 20 && spot[1] > 50) this.halo(ring.label, spot[0], spot[1], theme.ring);
      }
    }
    c.globalAlpha = 1;
  }

  halo(text, x, y, colour) {
    const c = this.context;
    c.lineWidth = 3; c.strokeStyle = this.theme.halo; c.strokeText(text, x, y);
    c.fillStyle = colour; c.fillText(text, x, y);
  }

  sites() {
    const c = this.context;
    c.font = "600 11px system-ui, sans-serif"; c.textAlign = "center"; c.textBaseline = "top";
    const taken = [];
    this.recording.sensors.forEach((sensor, k) => {
      if (sensor.lat === null || this.options.hidden.has(k)) return;
      const p = this.globe.place(sensor.lat * RAD, sensor.lon * RAD);
      if (!p) return;
      c.strokeStyle = this.theme.sensors[k % this.theme.sensors.length]; c.lineWidth = 2;
      c.beginPath(); c.moveTo(p[0] - 6, p[1] + 5); c.lineTo(p[0], p[1] - 6); c.lineTo(p[0] + 6, p[1] + 5); c.closePath(); c.stroke();
      if (taken.some((q) => Math.hypot(q[0] - p[0], q[1] - p[1]) < 30)) return;
      taken.push(p);
      this.halo(sensor.id, p[0], p[1] + 9, this.theme.text);
    });
  }

  plots() {
    const { t, sensor, points } = this.recording.plots, c = this.context, g = this.globe, now = this.recording.now;
    const memory = this.options.memory * 1000;
    const last = Recording.before(t, 0, t.length, now);
    let first = memory >= 1e9 ? 0 : Recording.before(t, 0, t.length, now - memory) + 1;
    first = Math.max(first, last - 60000); // a bound on the work of a frame; the newest matter
    const size = g.k > 60000 ? 5 : g.k > 3000 ? 3.4 : 2, paths = new Map(), spot = [0, 0];
    for (let m = first; m <= last; m++) {
      if (this.options.hidden.has(sensor[m]) || !this.at(points, m, spot)) continue;
      if (spot[0] < 0 || spot[1] < 0 || spot[0] > g.width || spot[1] > g.height) continue;
      const old = memory >= 1e9 ? 1 : Math.min(2, Math.floor((3 * (now - t[m])) / memory));
      const key = sensor[m] * 3 + old;
      if (!paths.has(key)) paths.set(key, new Path2D());
      paths.get(key).rect(spot[0] - size / 2, spot[1] - size / 2, size, size);
    }
    for (const [key, path] of paths) {
      c.fillStyle = this.theme.sensors[Math.floor(key / 3) % this.theme.sensors.length];
      c.globalAlpha = [1, 0.7, 0.45][key % 3];
      c.fill(path);
    }
    c.globalAlpha = 1;
  }

  history() {
    const rec = this.recording, c = this.context, g = this.globe, spot = [0, 0], back = this.options.history * 1000;
    c.lineWidth = 1.3;
    for (let k = 0; k < rec.n; k++) {
      const r = rec.row[k];
      if (r < 0 || (rec.status[r] === 0 && !this.options.tentative)) continue;
      const a = rec.start[k];
      const first = back >= 1e9 ? a : Math.max(a, Recording.before(rec.t, a, r + 1, rec.now - back) + 1);
      const colour = this.colour(k), middle = rec.now - back / 2;
      c.strokeStyle = c.fillStyle = colour;
      c.lineWidth = k === this.selected ? 2.4 : 1.3;
      // Two strokes: the older half fainter. Steps under a pixel are passed over.
      for (const part of [0, 1]) {
        c.globalAlpha = (k === this.selected ? 1 : 0.8) * (part || back >= 1e9 ? 1 : 0.45);
        if (!part && back >= 1e9) continue;
        c.beginPath();
        let begun = false, lx = 0, ly = 0;
        for (let m = first; m <= r; m++) {
          if (back < 1e9 && (part ? rec.t[m] < middle && m < r && rec.t[m + 1] < middle : rec.t[m] > middle)) continue;
          if (!this.at(rec.points, m, spot)) { begun = false; continue; }
          if (begun && m < r && Math.abs(spot[0] - lx) + Math.abs(spot[1] - ly) < 1) continue;
          if (begun && rec.t[m] - rec.t[m - 1] <= 60000) c.lineTo(spot[0], spot[1]); else c.moveTo(spot[0], spot[1]);
          begun = true; lx = spot[0]; ly = spot[1];
        }
        if (part && begun && this.now(k, spot)) c.lineTo(spot[0], spot[1]);
        c.stroke();
      }
      if (k === this.selected || g.k > 400000) { // near enough to tell the states of a track apart
        c.globalAlpha = 0.9;
        for (let m = first; m <= r; m++) {
          if (this.at(rec.points, m, spot)) c.fillRect(spot[0] - 1.5, spot[1] - 1.5, 3, 3);
        }
      }
    }
    c.globalAlpha = 1;
  }

  truth() {
    const { start, t, points } = this.recording.truth, c = this.context, spot = [0, 0], now = this.recording.now;
    const back = Math.min(this.options.history || 60, 600) * 1000;
    c.strokeStyle = this.theme.truth; c.lineWidth = 1; c.globalAlpha = 0.75; c.setLineDash([1, 3]);
    c.beginPath();
    const ends = [];
    for (let k = 0; k + 1 < start.length; k++) {
      const r = Recording.before(t, start[k], start[k + 1], now);
      if (r < start[k] || now - t[r] > 20000) continue;
      let begun = false;
      for (let m = Math.max(start[k], Recording.before(t, start[k], r + 1, now - back) + 1); m <= r; m++) {
        if (!this.at(points, m, spot)) continue;
        if (begun) c.lineTo(spot[0], spot[1]); else c.moveTo(spot[0], spot[1]);
        begun = true;
      }
      if (r + 1 < start[k + 1]) { // between two known places
        const f = (now - t[r]) / (t[r + 1] - t[r]);
        const p = [0, 1, 2].map((d) => (1 - f) * points[3 * r + d] + f * points[3 * r + 3 + d]);
        if (this.at(p, 0, spot)) { if (begun) c.lineTo(spot[0], spot[1]); ends.push([spot[0], spot[1]]); }
      } else if (begun) ends.push([spot[0], spot[1]]);
    }
    c.stroke();
    c.setLineDash([]);
    c.beginPath();
    for (const [x, y] of ends) { c.moveTo(x - 5, y); c.lineTo(x, y - 5); c.lineTo(x + 5, y); c.lineTo(x, y + 5); c.closePath(); }
    c.stroke();
    c.globalAlpha = 1;
  }

  now(k, out) {
    const p = [0, 0, 0];
    this.recording.nowAt(k, p);
    return this.at(p, 0, out);
  }

  // Where each live track is on the screen; only those on it go on to symbols and labels.
  place() {
    const rec = this.recording, g = this.globe, spot = [0, 0];
    for (let k = 0; k < rec.n; k++) {
      const r = rec.row[k];
      if (r < 0 || (rec.status[r] === 0 && !this.options.tentative) || !this.now(k, spot)) continue;
      if (spot[0] < -30 || spot[1] < -30 || spot[0] > g.width + 30 || spot[1] > g.height + 30) continue;
      this.hits.push({ k, r, x: spot[0], y: spot[1], turn: this.screenTurn(k, r) });
    }
  }

  // Direction of flight on the screen: the globe turns north away from up.
  screenTurn(k, r) {
    const rec = this.recording, a = [0, 0], p = [0, 0, 0];
    const v = Math.hypot(rec.ve[r], rec.vn[r]);
    if (v < 20) return null; // under 2 m/s a direction means little
    rec.nowAt(k, p);
    const q = [p[0], p[1], p[2]], lon = Math.atan2(p[1], p[0]), sinLat = p[2], cosLat = Math.hypot(p[0], p[1]);
    const step = 1e-4, e = rec.ve[r] / v, n = rec.vn[r] / v;
    q[0] += step * (-Math.sin(lon) * e - sinLat * Math.cos(lon) * n);
    q[1] += step * (Math.cos(lon) * e - sinLat * Math.sin(lon) * n);
    q[2] += step * cosLat * n;
    const b = [0, 0];
    if (!this.at(p, 0, a) || !this.at(q, 0, b)) return null;
    return Math.atan2(b[1] - a[1], b[0] - a[0]);
  }

  ellipses() {
    const rec = this.recording, c = this.context, g = this.globe;
    c.lineWidth = 1.2;
    for (const { k, r, x, y } of this.hits) {
      if (this.options.ellipses === "selected" && k !== this.selected) continue;
      const shape = ellipse(rec.se[r] * 0.1, rec.sn[r] * 0.1, rec.rho[r] / 100);
      if (!shape) continue;
      const scale = (2.4477 * g.k) / EARTH_M; // 95 % of a two-dimensional normal law lie within 2.4477 sigma
      const major = shape.major * scale, minor = shape.minor * scale;
      if (major < 2 || major > 4000) continue;
      c.strokeStyle = c.fillStyle = this.colour(k);
      c.beginPath();
      c.ellipse(x, y, major, Math.max(0.5, minor), -shape.angle, 0, 2 * Math.PI);
      c.globalAlpha = 0.1; c.fill();
      c.globalAlpha = 0.9; c.stroke();
    }
    c.globalAlpha = 1;
  }

  symbols() {
    const rec = this.recording, c = this.context, g = this.globe, vector = this.options.vector;
    const size = g.k < 2500 ? 4 : this.hits.length > 600 ? 5.5 : 7.5;
    for (const { k, r, x, y, turn } of this.hits) {
      const colour = this.colour(k), status = rec.status[r];
      c.strokeStyle = c.fillStyle = colour;
      if (vector && turn !== null && status !== 0) {
        const length = (Math.hypot(rec.ve[r], rec.vn[r]) * 0.1 * vector * g.k) / EARTH_M;
        if (length > 3) {
          c.lineWidth = 1; c.globalAlpha = 0.9;
          c.beginPath(); c.moveTo(x, y); c.lineTo(x + length * Math.cos(turn), y + length * Math.sin(turn)); c.stroke();
        }
      }
      c.globalAlpha = 1;
      this.symbol(c, x, y, turn, status, size, colour);
      if (k === this.selected) {
        c.strokeStyle = this.theme.select; c.lineWidth = 1.6;
        c.beginPath(); c.arc(x, y, size + 7, 0, 2 * Math.PI); c.stroke();
      }
    }
  }

  // Confirmed: a filled arrowhead. Coasting: the arrowhead hollow, in a broken circle. Tentative: a small open circle.
  symbol(c, x, y, turn, status, size, colour) {
    c.save();
    c.translate(x, y);
    c.lineWidth = 1.5; c.strokeStyle = c.fillStyle = colour;
    c.beginPath();
    if (status === 0) {
      c.arc(0, 0, size * 0.5, 0, 2 * Math.PI);
      c.stroke();
      c.restore();
      return;
    }
    if (turn === null) c.rect(-size * 0.55, -size * 0.55, size * 1.1, size * 1.1);
    else {
      c.rotate(turn);
      c.moveTo(size, 0); c.lineTo(-size * 0.75, size * 0.68); c.lineTo(-size * 0.35, 0); c.lineTo(-size * 0.75, -size * 0.68);
      c.closePath();
    }
    if (status === 1) {
      c.lineWidth = 1; c.strokeStyle = this.theme.halo; c.stroke();
      c.fill();
    } else {
      c.fillStyle = this.theme.halo; c.fill(); c.stroke();
      c.setLineDash([3, 3]); c.lineWidth = 1.2;
      c.beginPath(); c.arc(0, 0, size + 3.5, 0, 2 * Math.PI); c.stroke();
    }
    c.restore();
  }

  labels() {
    const rec = this.recording, c = this.context, g = this.globe, mode = this.options.labels;
    const cap = mode === "all" ? 400 : g.k < 2500 ? 0 : 140; // more than this nobody reads
    const rank = ({ k, r }) => (k === this.selected ? 0 : rec.status[r] === 2 ? 1 : rec.status[r] === 1 ? 2 : 3);
    const wanted = this.hits.filter((hit) => hit.k === this.selected || rec.status[hit.r] !== 0 || mode === "all");
    wanted.sort((p, q) => rank(p) - rank(q) || p.k - q.k);
    const grid = new Map(), cell = 64;
    const cells = (box, visit) => {
      for (let i = Math.floor(box[0] / cell); i <= Math.floor(box[2] / cell); i++) {
        for (let j = Math.floor(box[1] / cell); j <= Math.floor(box[3] / cell); j++) if (visit(i * 4096 + j)) return true;
      }
      return false;
    };
    const free = (box, own) => !cells(box, (key) => (grid.get(key) || []).some((other) => other.k !== own
      && other.box[0] < box[2] && other.box[2] > box[0] && other.box[1] < box[3] && other.box[3] > box[1]));
    const take = (box, k) => cells(box, (key) => { if (!grid.has(key)) grid.set(key, []); grid.get(key).push({ box, k }); return false; });
    for (const { k, x, y } of this.hits) take([x - 5, y - 5, x + 5, y + 5], k);
    c.font = "11px ui-monospace, Menlo, Consolas, monospace";
    c.textAlign = "left"; c.textBaseline = "top";
    let drawn = 0;
    for (const { k, r, x, y } of wanted) {
      if (k !== this.selected && drawn >= cap) break;
      const lines = this.text(k, r);
      const w = Math.max(...lines.map((line) => this.measure(line))) + 2, h = 12 * lines.length + 1;
      const sides = [[12, -h - 2], [12, 4], [-w - 12, -h - 2], [-w - 12, 4], [-w / 2, -h - 13], [-w / 2, 13], [26, -h - 18], [-w - 26, 18]];
      const last = this.side.get(k);
      const order = last === undefined ? [0, 1, 2, 3, 4, 5, 6, 7] : [last, 0, 1, 2, 3, 4, 5, 6, 7];
      for (const side of order) {
        const bx = x + sides[side][0], by = y + sides[side][1], box = [bx - 2, by - 2, bx + w + 2, by + h + 2];
        if (k !== this.selected && !free(box, k)) continue;
        take(box, k);
        this.side.set(k, side);
        c.strokeStyle = this.theme.leader; c.lineWidth = 0.8; c.globalAlpha = 0.8;
        c.beginPath();
        c.moveTo(x + 6 * Math.sign(bx + w / 2 - x), y + 4 * Math.sign(by + h / 2 - y));
        c.lineTo(Math.max(bx, Math.min(bx + w, x)), Math.max(by, Math.min(by + h, y)));
        c.stroke();
        c.globalAlpha = 1;
        lines.forEach((line, m) => this.halo(line, bx, by + 12 * m, this.theme.text));
        drawn++;
        break;
      }
    }
    this.labelled = drawn;
  }

  text(k, r) {
    const rec = this.recording, height = heightText(rec.ft[r], rec.h[r]) + climbArrow(rec.vu[r]);
    const second = [height, Math.round(speedKt(rec.ve[r], rec.vn[r])) + "kt"].filter(Boolean).join(" ");
    return [rec.name(k), second];
  }

  measure(text) {
    if (!this.widths.has(text)) {
      if (this.widths.size > 20000) this.widths.clear();
      this.widths.set(text, this.context.measureText(text).width);
    }
    return this.widths.get(text);
  }

  // The track under a screen point, -1 where there's none near.
  pick(x, y) {
    let best = -1, least = 18;
    for (const hit of this.hits) {
      const d = Math.hypot(hit.x - x, hit.y - y);
      if (d < least) { least = d; best = hit.k; }
    }
    return best;
  }
}

// Half axes [m] and direction of the major one (counter-clockwise from east) of a covariance given by sigmas and correlation.
function ellipse(se, sn, rho) {
  if (!(se > 0 && sn > 0)) return null;
  const a = se * se, b = rho * se * sn, d = sn * sn;
  const middle = (a + d) / 2, spread = Math.hypot((a - d) / 2, b);
  return { major: Math.sqrt(middle + spread), minor: Math.sqrt(Math.max(0, middle - spread)), angle: 0.5 * Math.atan2(2 * b, a - d) };
}
