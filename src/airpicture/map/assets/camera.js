// Where things are on the screen: the matrices of the frame that was drawn last, for whatever is drawn beside WebGL.
//
// Two projections, and a way between them: the globe, seen from straight above the middle of the view, and Mercator from
// a few kilometres on. Places on the globe are points of the unit sphere (MapLibre's axes: y the pole, z 0° E); on Mercator they are
// relative to an origin near the middle of the view, so that single precision is enough at a runway.

export const EARTH_M = 6371008.8;
export const RAD = Math.PI / 180;

export const mercatorX = (lon) => lon / (2 * Math.PI) + 0.5;
export const mercatorY = (lat) => 0.5 - Math.log(Math.tan(Math.PI / 4 + Math.max(-1.4844, Math.min(1.4844, lat)) / 2)) / (2 * Math.PI);

export class Camera {
  constructor() {
    this.globe = new Float64Array(16);
    this.flat = new Float64Array(16); // of Mercator coordinates less the origin
    this.plane = new Float64Array(4);
    this.globeness = 0;
    this.origin = [0.5, 0.5];
    this.width = this.height = 1;
    this.metresPerPixel = 1;
    this.ready = false;
  }

  // Take what MapLibre hands to a custom layer.
  take(data, map) {
    const canvas = map.getCanvas();
    this.width = canvas.clientWidth;
    this.height = canvas.clientHeight;
    const center = map.getCenter();
    this.centerLat = center.lat * RAD;
    this.origin = [mercatorX(center.lng * RAD), mercatorY(center.lat * RAD)];
    this.globeness = data.projectionTransition;
    this.globe.set(data.mainMatrix);
    this.plane.set(data.clippingPlane);
    const m = this.globeness > 0 ? data.fallbackMatrix : data.mainMatrix;
    const [x, y] = this.origin;
    this.flat.set(m);
    for (let k = 0; k < 4; k++) this.flat[12 + k] = m[k] * x + m[4 + k] * y + m[12 + k];
    this.metresPerPixel = (2 * Math.PI * EARTH_M * Math.cos(center.lat * RAD)) / (512 * 2 ** map.getZoom());
    this.ready = true;
  }

  // Screen place of a position [rad] in pixels, written to out[at], out[at + 1]; NaN where it's behind the Earth.
  project(lat, lon, out, at = 0) {
    let x = 0, y = 0, w = 0;
    const t = this.globeness, g = this.globe, f = this.flat;
    if (t > 0) {
      const c = Math.cos(lat), px = Math.sin(lon) * c, py = Math.sin(lat), pz = Math.cos(lon) * c, p = this.plane;
      if (t > 0.5 && p[0] * px + p[1] * py + p[2] * pz + p[3] < 0) { out[at] = out[at + 1] = NaN; return; }
      x = t * (g[0] * px + g[4] * py + g[8] * pz + g[12]);
      y = t * (g[1] * px + g[5] * py + g[9] * pz + g[13]);
      w = t * (g[3] * px + g[7] * py + g[11] * pz + g[15]);
    }
    if (t < 1) {
      let mx = mercatorX(lon) - this.origin[0];
      mx -= Math.round(mx);
      const my = mercatorY(lat) - this.origin[1];
      x += (1 - t) * (f[0] * mx + f[4] * my + f[12]);
      y += (1 - t) * (f[1] * mx + f[5] * my + f[13]);
      w += (1 - t) * (f[3] * mx + f[7] * my + f[15]);
    }
    if (w <= 0) { out[at] = out[at + 1] = NaN; return; }
    out[at] = (x / w + 1) * 0.5 * this.width;
    out[at + 1] = (1 - y / w) * 0.5 * this.height;
  }
}

// Where one comes from a position over so many metres east and north, on the sphere.
export function moved(lat, lon, east, north) {
  return [lat + north / EARTH_M, lon + east / (EARTH_M * Math.max(1e-6, Math.cos(lat)))];
}

// Distance [m] and initial bearing [rad, clockwise from north] between two positions, along a great circle.
export function between(lat1, lon1, lat2, lon2) {
  const d = lon2 - lon1, c2 = Math.cos(lat2), s2 = Math.sin(lat2), c1 = Math.cos(lat1), s1 = Math.sin(lat1);
  const y = Math.sin(d) * c2, x = c1 * s2 - s1 * c2 * Math.cos(d);
  return [EARTH_M * Math.atan2(Math.hypot(y, x), s1 * s2 + c1 * c2 * Math.cos(d)), (Math.atan2(y, x) + 2 * Math.PI) % (2 * Math.PI)];
}

// A ring of equal distance around a position, as [lon, lat] in degrees.
export function ring(lat, lon, metres, points = 120) {
  const d = metres / EARTH_M, made = [];
  for (let k = 0; k <= points; k++) {
    const b = (2 * Math.PI * k) / points;
    const la = Math.asin(Math.sin(lat) * Math.cos(d) + Math.cos(lat) * Math.sin(d) * Math.cos(b));
    const lo = lon + Math.atan2(Math.sin(b) * Math.sin(d) * Math.cos(lat), Math.cos(d) - Math.sin(lat) * Math.sin(la));
    made.push([lo / RAD, la / RAD]);
  }
  return made;
}
