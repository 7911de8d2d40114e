// Plots of the last while, as they came: a ring of columns, the oldest overwritten.

const KEPT = 1 << 16;
const RAD = Math.PI / 180;

export class Plots {
  constructor() {
    this.lat = new Float64Array(KEPT);
    this.lon = new Float64Array(KEPT);
    this.t = new Float64Array(KEPT); // ms UTC
    this.sensor = new Uint16Array(KEPT);
    this.total = 0;
    this.life = 12; // s that a plot stays; a turn of the slowest radar
  }

  get count() { return Math.min(KEPT, this.total); }
  clear() { this.total = 0; }

  take(plots, now) {
    for (let k = 0; k < plots.length; k++) {
      const at = this.total++ % KEPT;
      this.lat[at] = plots.lat[k] * 1e-7 * RAD;
      this.lon[at] = plots.lon[k] * 1e-7 * RAD;
      this.t[at] = now - 10 * plots.age[k];
      this.sensor[at] = plots.sensor[k];
    }
  }

  each(visit) {
    for (let k = Math.max(0, this.total - KEPT); k < this.total; k++) { const at = k % KEPT; visit(this.lat[at], this.lon[at], this.sensor[at], this.t[at]); }
  }
}
