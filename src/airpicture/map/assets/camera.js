// Where things are on the screen: the matrices of the frame that was drawn last, for whatever is drawn beside WebGL.
//
// Two projections, and a way between them: the globe, seen from straight above the middle of the view, and Mercator from
// a few kilometres on. Places on the globe are points of the unit sphere (MapLibre's axes: y the pole, z 0° E); on Mercator they are
// relative to an origin near the middle of the view, so that single precision is enough at a runway.

export const EARTH_M = 6371008.8;
export const FLAT_X = 2 ** 32, FLAT_Y = 2 ** 31; // steps of Mercator's square, a centimetre or two; east wraps round like the Earth
export const AHEAD_S = 30; // a state is carried on for so long and no longer
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
    this.step = new Int32Array(2); // the origin in steps
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
    this.step[0] = this.origin[0] * FLAT_X;
    this.step[1] = this.origin[1] * FLAT_Y;
    this.globeness = data.projectionTransition;
    this.globe.set(data.mainMatrix);
    this.plane.set(data.clippingPlane);
    const m = this.globeness > 0 ? data.fallbackMatrix : data.mainMatrix;
    // relative to the origin as the steps have it, so that rounding it moves nothing
    const x = ((this.step[0] >>> 0) / FLAT_X) + Math.round(this.origin[0] - (this.step[0] >>> 0) / FLAT_X), y = this.step[1] / FLAT_Y;
    this.origin = [x, y];
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

// As `Camera.project`, of rows of the picture, carried on to a time: without an angle's sine, and in one loop, so that a hundred thousand
// of them leave no numbers behind for the garbage collector. NaN where a track is hidden.
export function projectRows(camera, picture, now, begin, end, out) {
  const t = camera.globeness, g = camera.globe, f = camera.flat, p = camera.plane, { sphere, flat } = picture;
  for (let slot = begin; slot < end; slot++) {
    const at = 2 * slot;
    if (picture.hidden[slot]) { out[at] = out[at + 1] = NaN; continue; }
    const dt = Math.max(0, Math.min(AHEAD_S, (now - picture.t[slot]) / 1000)), east = (picture.ve[slot] || 0) * dt, north = (picture.vn[slot] || 0) * dt;
    let px = sphere[3 * slot], py = sphere[3 * slot + 1], pz = sphere[3 * slot + 2], x = 0, y = 0, w = 0;
    const c = Math.sqrt(Math.max(1e-12, 1 - py * py));
    if (t < 1) {
      const step = 1 / (2 * Math.PI * EARTH_M * c);
      const mx = ((flat[at] - camera.step[0]) | 0) / FLAT_X + east * step, my = (flat[at + 1] - camera.step[1]) / FLAT_Y - north * step;
      x = (1 - t) * (f[0] * mx + f[4] * my + f[12]);
      y = (1 - t) * (f[1] * mx + f[5] * my + f[13]);
      w = (1 - t) * (f[3] * mx + f[7] * my + f[15]);
    }
    if (t > 0) {
      const a = east / EARTH_M, b = north / EARTH_M, ex = pz / c, ez = -px / c; // east is (ex, 0, ez), north p × east
      const qx = px + ex * a + py * ez * b, qy = py + (pz * ex - px * ez) * b, qz = pz + ez * a - py * ex * b;
      px = qx; py = qy; pz = qz;
      if (t > 0.5 && p[0] * px + p[1] * py + p[2] * pz + p[3] < 0) w = 0; // behind the Earth
      else {
        x += t * (g[0] * px + g[4] * py + g[8] * pz + g[12]);
        y += t * (g[1] * px + g[5] * py + g[9] * pz + g[13]);
        w += t * (g[3] * px + g[7] * py + g[11] * pz + g[15]);
      }
    }
    out[at] = w > 0 ? (x / w + 1) * 0.5 * camera.width : NaN;
    out[at + 1] = w > 0 ? (1 - y / w) * 0.5 * camera.height : NaN;
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
