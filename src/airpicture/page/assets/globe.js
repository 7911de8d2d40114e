// An orthographic globe that can be turned and approached down to a runway, all in 64-bit floats on a 2-D canvas.

const EARTH_M = 6371008.8; // mean radius; the picture is off by up to 0.3 % of a distance, positions are not
const RAD = Math.PI / 180;

class Globe {
  constructor() {
    this.lat = 0; this.lon = 0; // rad, middle of the screen
    this.k = 300; // px per earth radius
    this.width = 1; this.height = 1;
    this.turn();
  }

  turn() {
    this.lat = Math.max(-Math.PI / 2, Math.min(Math.PI / 2, this.lat));
    if (this.lon > Math.PI) this.lon -= 2 * Math.PI;
    if (this.lon < -Math.PI) this.lon += 2 * Math.PI;
    this.k = Math.max(0.2 * Math.min(this.width, this.height) + 20, Math.min(EARTH_M * 4, this.k));
    const sl = Math.sin(this.lon), cl = Math.cos(this.lon), sp = Math.sin(this.lat), cp = Math.cos(this.lat);
    this.e = [-sl, cl, 0];
    this.n = [-sp * cl, -sp * sl, cp];
    this.u = [cp * cl, cp * sl, sp];
  }

  // Screen place of (lat, lon) in radians; null behind the horizon.
  place(lat, lon) {
    const cp = Math.cos(lat), x = cp * Math.cos(lon), y = cp * Math.sin(lon), z = Math.sin(lat);
    if (x * this.u[0] + y * this.u[1] + z * this.u[2] <= 0) return null;
    return [
      this.width / 2 + this.k * (x * this.e[0] + y * this.e[1]),
      this.height / 2 - this.k * (x * this.n[0] + y * this.n[1] + z * this.n[2]),
    ];
  }

  // [lat, lon] in radians under a screen point; null off the globe.
  under(px, py) {
    const x = (px - this.width / 2) / this.k, y = (this.height / 2 - py) / this.k;
    const r2 = x * x + y * y;
    if (r2 > 1) return null;
    const w = Math.sqrt(1 - r2);
    const p = [0, 1, 2].map((k) => x * this.e[k] + y * this.n[k] + w * this.u[k]);
    return [Math.asin(Math.max(-1, Math.min(1, p[2]))), Math.atan2(p[1], p[0])];
  }

  drag(dx, dy) {
    this.lon -= dx / this.k / Math.max(0.2, Math.cos(this.lat));
    this.lat += dy / this.k;
    this.turn();
  }

  // Zoom by a factor with the point under the cursor kept in place.
  zoom(factor, px, py) {
    const before = this.under(px, py);
    this.k *= factor;
    this.turn();
    const after = this.under(px, py);
    if (before && after) {
      this.lat += before[0] - after[0];
      this.lon += wrap(before[1] - after[1]);
      this.turn();
    }
  }

  // Show a box of [south, west, north, east] in radians, with the panels' share of the screen left free.
  fit([south, west, north, east], free = 0.86) {
    this.lat = (south + north) / 2;
    this.lon = wrap(west + wrap2(east - west) / 2);
    const high = Math.max(2 * Math.sin(Math.min(Math.PI / 2, (north - south) / 2)), 4e-4);
    const wide = Math.max(2 * Math.sin(Math.min(Math.PI / 2, wrap2(east - west) / 2)) * Math.cos(this.lat), 4e-4);
    this.k = free * Math.min(this.height / high, this.width / wide);
    this.turn();
  }
}

function wrap(angle) {
  return angle - 2 * Math.PI * Math.round(angle / (2 * Math.PI));
}
function wrap2(angle) {
  return angle < 0 ? angle + 2 * Math.PI : angle;
}

// Unit vectors of columns of lat, lon (integers, `unit` radians each), three floats a point.
function unitVectors(lat, lon, unit) {
  const out = new Float64Array(3 * lat.length);
  for (let k = 0; k < lat.length; k++) {
    const p = lat[k] * unit, l = lon[k] * unit, c = Math.cos(p);
    out[3 * k] = c * Math.cos(l);
    out[3 * k + 1] = c * Math.sin(l);
    out[3 * k + 2] = Math.sin(p);
  }
  return out;
}

// Lines or rings of the outline map, with what is needed to pass over those out of sight.
class Outline {
  constructor(counts, lon, lat, unit, closed) {
    this.closed = closed;
    this.lon = lon; this.lat = lat; this.unit = unit;
    this.points = unitVectors(lat, lon, unit);
    this.lines = [];
    let at = 0;
    for (const count of counts) {
      let sx = 0, sy = 0, sz = 0;
      const box = [Infinity, Infinity, -Infinity, -Infinity];
      for (let k = at; k < at + count; k++) {
        sx += this.points[3 * k]; sy += this.points[3 * k + 1]; sz += this.points[3 * k + 2];
        box[0] = Math.min(box[0], lat[k]); box[1] = Math.min(box[1], lon[k]);
        box[2] = Math.max(box[2], lat[k]); box[3] = Math.max(box[3], lon[k]);
      }
      const size = Math.hypot(sx, sy, sz) || 1;
      const c = [sx / size, sy / size, sz / size];
      let least = 1;
      for (let k = at; k < at + count; k++) {
        least = Math.min(least, c[0] * this.points[3 * k] + c[1] * this.points[3 * k + 1] + c[2] * this.points[3 * k + 2]);
      }
      this.lines.push({ at, end: at + count, c, reach: Math.acos(Math.max(-1, Math.min(1, least))) + 1e-9, box });
      at += count;
    }
  }

  // Whether the ring holds the point (lat, lon) in file units: crossings of a ray to the east.
  holds(line, lat, lon) {
    if (lat < line.box[0] || lat > line.box[2] || lon < line.box[1] || lon > line.box[3]) return false;
    let inside = false;
    for (let k = line.at, j = line.end - 1; k < line.end; j = k++) {
      if (this.lat[k] > lat !== this.lat[j] > lat) {
        const cross = this.lon[k] + ((lat - this.lat[k]) * (this.lon[j] - this.lon[k])) / (this.lat[j] - this.lat[k]);
        if (lon < cross) inside = !inside;
      }
    }
    return inside;
  }

  visible(line, globe) {
    const cosine = line.c[0] * globe.u[0] + line.c[1] * globe.u[1] + line.c[2] * globe.u[2];
    const apart = Math.acos(Math.max(-1, Math.min(1, cosine)));
    const half = Math.hypot(globe.width, globe.height) / 2 / globe.k;
    const seen = half >= 1 ? Math.PI / 2 : Math.asin(half);
    if (2 * line.reach * globe.k < 1) return false; // smaller than a pixel
    return apart - line.reach < seen + 0.001;
  }

  // Trace for filling: what is behind the horizon is laid just outside the rim, in its own direction. A ring round the
  // point opposite to us then fills the wrong side, which one more circle in the even-odd path puts right.
  traceFill(path, globe) {
    const { width, height, k, e, n, u } = globe, cx = width / 2, cy = height / 2, p = this.points;
    const oppositeLat = -globe.lat / this.unit, oppositeLon = wrap(globe.lon + Math.PI) / this.unit;
    let turned = false;
    for (const line of this.lines) {
      const round = this.holds(line, oppositeLat, oppositeLon);
      if (round) turned = !turned;
      if (!round && !this.visible(line, globe)) continue;
      let run = 0, px = 0, py = 0, pending = false, begun = false;
      for (let m = line.at; m < line.end; m++) {
        const a = p[3 * m], b = p[3 * m + 1], c = p[3 * m + 2];
        let x = a * e[0] + b * e[1], y = a * n[0] + b * n[1] + c * n[2];
        if (a * u[0] + b * u[1] + c * u[2] < 0) {
          const r = 1.08 / (Math.hypot(x, y) || 1);
          x *= r; y *= r;
        }
        x = cx + k * x; y = cy - k * y;
        const code = (x < -20 ? 1 : x > width + 20 ? 2 : 0) | (y < -20 ? 4 : y > height + 20 ? 8 : 0);
        if (begun && (run & code)) { // still beyond the same edge: only the last of such a run matters
          run &= code; px = x; py = y; pending = true;
          continue;
        }
        if (pending) { path.lineTo(px, py); pending = false; }
        if (begun) path.lineTo(x, y); else { path.moveTo(x, y); begun = true; }
        run = code;
      }
      path.closePath();
    }
    if (turned) { path.moveTo(cx + 2 * k, cy); path.arc(cx, cy, 2 * k, 0, 2 * Math.PI); }
  }

  // Trace for drawing lines; edges that only cut the map open (along 180 degrees, at the pole) are left out.
  traceLines(path, globe) {
    const { width, height, k, e, n, u } = globe, cx = width / 2, cy = height / 2, p = this.points;
    const cut = Math.round(Math.PI / this.unit), pole = Math.round((-89.5 * RAD) / this.unit);
    for (const line of this.lines) {
      if (!this.visible(line, globe)) continue;
      let lastCode = 0, lx = 0, ly = 0, lastFront = false, drawn = false;
      for (let m = line.at; m < line.end; m++) {
        const a = p[3 * m], b = p[3 * m + 1], c = p[3 * m + 2];
        const front = a * u[0] + b * u[1] + c * u[2] >= 0;
        const x = cx + k * (a * e[0] + b * e[1]), y = cy - k * (a * n[0] + b * n[1] + c * n[2]);
        const code = (x < -20 ? 1 : x > width + 20 ? 2 : 0) | (y < -20 ? 4 : y > height + 20 ? 8 : 0);
        if (m > line.at && front && lastFront && !(code & lastCode)) {
          const seam = this.closed && ((Math.abs(this.lon[m]) >= cut - 1 && Math.abs(this.lon[m - 1]) >= cut - 1)
            || (this.lat[m] < pole && this.lat[m - 1] < pole));
          if (!seam) {
            if (!drawn) path.moveTo(lx, ly);
            path.lineTo(x, y);
            drawn = true;
          } else drawn = false;
        } else drawn = false;
        lastCode = code; lx = x; ly = y; lastFront = front;
      }
    }
  }
}

// The map underneath, drawn again only when the view changes.
class BaseMap {
  constructor(header, columns) {
    this.layers = {};
    for (const [name, closed] of header.outline) {
      this.layers[name] = new Outline(
        columns["map." + name + ".n"], columns["map." + name + ".lon"], columns["map." + name + ".lat"],
        header.outline_deg * RAD, closed);
    }
    this.graticule = BaseMap.grid();
  }

  static grid() {
    const lines = [];
    for (let lon = -180; lon < 180; lon += 15) lines.push(Array.from({ length: 57 }, (_, k) => [-84 + 3 * k, lon]));
    for (let lat = -75; lat <= 75; lat += 15) lines.push(Array.from({ length: 121 }, (_, k) => [lat, -180 + 3 * k]));
    const flat = lines.flat();
    return new Outline(lines.map((l) => l.length), Int32Array.from(flat, (p) => p[1]), Int32Array.from(flat, (p) => p[0]), RAD, false);
  }

  draw(context, globe, theme, show) {
    const { width, height, k } = globe;
    context.fillStyle = theme.space;
    context.fillRect(0, 0, width, height);
    context.save();
    const disc = new Path2D();
    disc.arc(width / 2, height / 2, k, 0, 2 * Math.PI);
    if (k < Math.hypot(width, height)) context.clip(disc);
    context.fillStyle = theme.sea;
    context.fillRect(0, 0, width, height);
    const land = new Path2D();
    this.layers.land.traceFill(land, globe);
    context.fillStyle = theme.land;
    context.fill(land, "evenodd");
    const lakes = new Path2D();
    this.layers.lakes.traceFill(lakes, globe);
    context.fillStyle = theme.sea;
    context.fill(lakes, "evenodd");
    const stroke = (outline, colour, lineWidth, dash = []) => {
      const path = new Path2D();
      outline.traceLines(path, globe);
      context.strokeStyle = colour; context.lineWidth = lineWidth; context.setLineDash(dash);
      context.stroke(path);
      context.setLineDash([]);
    };
    if (k > 1500) stroke(this.layers.rivers, theme.river, 0.8);
    if (k < 20000) stroke(this.graticule, theme.grid, 0.6);
    stroke(this.layers.lakes, theme.coast, 0.6);
    stroke(this.layers.land, theme.coast, 1);
    if (show.borders) {
      stroke(this.layers.states, theme.border, 0.7, [3, 3]);
      stroke(this.layers.borders, theme.border, 0.9);
    }
    context.restore();
    if (k < Math.hypot(width, height)) {
      context.strokeStyle = theme.coast; context.lineWidth = 1;
      context.stroke(disc);
    }
  }
}
