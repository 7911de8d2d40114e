// One recording of the page: tracks as columns sorted by track and time, plots sorted by time, sensors, truth.

const STATUS = ["tentative", "confirmed", "coasting", "ended"];
const NONE = -2147483648; // a missing number

class Recording {
  constructor(header, columns, index) {
    const take = (name) => columns[index + "." + name];
    this.about = header;
    this.sensors = header.sensors;
    this.names = header.tracks; // [number, address, callsign, mode 3/A] each, "" for unknown
    const degree = header.position_deg * RAD;
    this.degree = degree;
    for (const name of ["start", "t", "lat", "lon", "h", "ft", "ve", "vn", "vu", "se", "sn", "rho", "count", "age", "seen", "from"]) {
      this[name] = take("track." + name);
    }
    this.status = take("track.status");
    this.existence = take("track.existence");
    this.points = unitVectors(this.lat, this.lon, degree);
    this.n = this.names.length;
    this.plots = { t: take("plot.t"), sensor: take("plot.sensor"), lat: take("plot.lat"), lon: take("plot.lon") };
    this.plots.points = unitVectors(this.plots.lat, this.plots.lon, degree);
    this.truth = { start: take("truth.start"), t: take("truth.t") };
    this.truth.points = unitVectors(take("truth.lat"), take("truth.lon"), degree);
    this.rings = header.rings.map((ring) => ({
      ...ring,
      outline: new Outline([ring.lat.length], Int32Array.from(ring.lon), Int32Array.from(ring.lat), 1e-4 * RAD, false),
    }));
    this.t0 = header.t_ms[0]; this.t1 = header.t_ms[1]; // ms UTC
    this.span = this.t1 - this.t0;
    this.row = new Int32Array(this.n).fill(-1); // row shown of each track, -1 none
    this.hold = new Float64Array(this.n); // ms that a state may be shown after its time
    for (let k = 0; k < this.n; k++) {
      const gaps = [];
      for (let m = this.start[k] + 1; m < this.start[k + 1]; m++) gaps.push(this.t[m] - this.t[m - 1]);
      gaps.sort((a, b) => a - b);
      this.hold[k] = Math.min(60000, Math.max(2000, 1.5 * (gaps[Math.floor(gaps.length * 0.8)] || 0)));
    }
    this.now = 0;
    this.seek(0);
    this.busy = this.strip(240);
  }

  // Last row of column `t` in [a, b) that isn't later than `when`; a - 1 where there's none.
  static before(t, a, b, when) {
    while (a < b) {
      const middle = (a + b) >> 1;
      if (t[middle] <= when) a = middle + 1; else b = middle;
    }
    return a - 1;
  }

  // Choose the row of every track for a time [ms after t0]. A track is shown while its last state isn't too old.
  seek(when) {
    this.now = when;
    for (let k = 0; k < this.n; k++) {
      const a = this.start[k], b = this.start[k + 1];
      let r = Recording.before(this.t, a, b, when);
      if (r < a || this.status[r] === 3 || when - this.t[r] > this.hold[k]) r = -1;
      this.row[k] = r;
    }
  }

  // Unit vector of a track now: its last state carried on with its velocity.
  nowAt(k, out) {
    const r = this.row[k], dt = (this.now - this.t[r]) / 1000;
    const lat0 = this.lat[r] * this.degree;
    const lat = lat0 + (dt * this.vn[r] * 0.1) / EARTH_M;
    const lon = this.lon[r] * this.degree + (dt * this.ve[r] * 0.1) / (EARTH_M * Math.max(0.01, Math.cos(lat0)));
    const c = Math.cos(lat);
    out[0] = c * Math.cos(lon); out[1] = c * Math.sin(lon); out[2] = Math.sin(lat);
  }

  // How many confirmed tracks there are in each of `bins` slices of the time.
  strip(bins) {
    const step = Math.max(1, this.span) / bins, sums = new Float64Array(bins + 1);
    for (let k = 0; k < this.n; k++) {
      const a = this.start[k], b = this.start[k + 1];
      let first = -1;
      for (let m = a; m < b; m++) if (this.status[m] === 1 || this.status[m] === 2) { first = m; break; }
      if (first < 0) continue;
      this.confirmed = (this.confirmed || 0) + 1;
      sums[Math.max(0, Math.min(bins - 1, Math.floor(this.t[first] / step)))] += 1;
      sums[Math.max(0, Math.min(bins, Math.floor(this.t[b - 1] / step) + 1))] -= 1;
    }
    for (let k = 1; k <= bins; k++) sums[k] += sums[k - 1];
    return sums.subarray(0, bins);
  }

  // [south, west, north, east] in radians of sensors' coverage and tracks.
  box() {
    const lats = [], lons = [];
    const at = this.lat.length ? this.lon[0] * this.degree : this.sensors.length && this.sensors[0].lon !== null ? this.sensors[0].lon * RAD : 0;
    const put = (lat, lon) => { lats.push(lat); lons.push(at + wrap(lon - at)); };
    for (const ring of this.rings) {
      for (let k = 0; k < ring.lat.length; k += 12) put(ring.lat[k] * 1e-4 * RAD, ring.lon[k] * 1e-4 * RAD);
    }
    const step = Math.max(1, Math.floor(this.lat.length / 4000));
    const tracked = [];
    for (let r = 0; r < this.lat.length; r += step) tracked.push(r);
    if (tracked.length && !this.rings.length) { // some far-off position must not shrink the rest to a spot
      const sorted = (column) => Float64Array.from(tracked, (r) => column(r)).sort();
      const la = sorted((r) => this.lat[r] * this.degree), lo = sorted((r) => at + wrap(this.lon[r] * this.degree - at));
      const cut = Math.floor(tracked.length * 0.01);
      lats.push(la[cut], la[la.length - 1 - cut]); lons.push(lo[cut], lo[lo.length - 1 - cut]);
    }
    if (!lats.length) return [-1, -Math.PI, 1, Math.PI - 0.01];
    return [Math.min(...lats), Math.min(...lons), Math.max(...lats), Math.max(...lons)];
  }

  name(k) {
    const [number, address, callsign, code] = this.names[k];
    return callsign || address || (code ? "A" + code : "#" + number);
  }

  counts() {
    const found = { tracks: this.n, ever: this.confirmed || 0, shown: 0, tentative: 0, confirmed: 0, coasting: 0 };
    for (let k = 0; k < this.n; k++) {
      const r = this.row[k];
      if (r < 0) continue;
      found.shown++;
      found[STATUS[this.status[r]]]++;
    }
    return found;
  }
}

function heightText(ft, h) {
  if (ft !== NONE) return ft >= 4500 ? "FL" + String(Math.round(ft / 100)).padStart(3, "0") : Math.round(ft / 25) * 25 + " ft";
  if (h !== NONE) return Math.round(h) + " m";
  return "";
}
function climbArrow(vu) {
  return vu === NONE ? "" : vu > 15 ? "↑" : vu < -15 ? "↓" : "";
}
function speedKt(ve, vn) {
  return Math.hypot(ve, vn) * 0.1 / 0.514444;
}
function clock(ms) {
  return new Date(ms).toISOString().slice(11, 19);
}
