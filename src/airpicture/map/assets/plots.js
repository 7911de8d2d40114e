// Plots of the last while, as they came: a ring of columns, the oldest overwritten.

const KEPT = 1 << 15;
const RAD = Math.PI / 180;

export class Plots {
  constructor() {
    this.lat = new Float64Array(KEPT);
    this.lon = new Float64Array(KEPT);
    this.t = new Float64Array(KEPT); // ms UTC
    this.sensor = new Uint16Array(KEPT);
    this.total = 0; // ever
    this.begin = 0; // the oldest that was to be seen
    this.life = 12; // s that a plot stays; a turn of the slowest radar
  }

  get kept() { return KEPT; }
  clear() { this.total = this.begin = 0; }

  take(plots, now) {
    for (let k = 0; k < plots.length; k++) {
      const at = this.total++ % KEPT;
      this.lat[at] = plots.lat[k] * 1e-7 * RAD;
      this.lon[at] = plots.lon[k] * 1e-7 * RAD;
      this.t[at] = now - 10 * plots.age[k];
      this.sensor[at] = plots.sensor[k];
    }
  }

  // All from the n-th on, with where in the ring each lies.
  each(begin, visit) {
    for (let k = begin; k < this.total; k++) { const at = k % KEPT; visit(at, this.lat[at], this.lon[at], this.sensor[at], this.t[at]); }
  }

  // The n-th of all that is the oldest still to be seen; they come in the order of time, or nearly.
  oldest(now) {
    while (this.begin < this.total && (this.begin < this.total - KEPT || this.t[this.begin % KEPT] < now - 1000 * this.life)) this.begin++;
    return this.begin;
  }

  // Where in the ring those lie that are to be seen: [from, count] of one or two pieces.
  pieces(now) {
    const from = this.oldest(now) % KEPT, count = this.total - this.begin;
    return from + count <= KEPT ? [[from, count]] : [[from, KEPT - from], [0, from + count - KEPT]];
  }

  // How many are to be seen.
  living(now, off) {
    let n = 0;
    this.each(this.oldest(now), (at, lat, lon, sensor) => { if (!off.has(sensor)) n++; });
    return n;
  }
}
