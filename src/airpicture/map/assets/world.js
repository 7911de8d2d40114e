// The outline map of the world, thinned for a view: full detail in it, less and less with distance. The file is described in
// airpicture/page/outline.py: per layer the points in each line, longitudes, latitudes, and how much each vertex matters.

import { EARTH_M, RAD } from "./camera.js";

const PER_M = 0.0025; // tolerance per metre of distance outside the view: a pixel of the globe at 10,000 km

export class World {
  constructor(buffer) {
    const length = new DataView(buffer).getUint32(0, true);
    const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
    this.grid = header.grid_deg;
    this.layers = {};
    let at = 4 + length;
    for (const [name, about] of Object.entries(header.layers)) {
      const columns = [about.lines, about.points, about.points].map((size) => {
        const made = unshuffle(new Uint8Array(buffer, at, 4 * size), size);
        at += 4 * size;
        return made;
      });
      const weight = new Uint8Array(buffer, at, about.points);
      at += about.points;
      const tolerance = Float32Array.from({ length: 256 }, (_, w) => 10 * 2 ** (w / header.weight_step));
      this.layers[name] = { closed: about.closed, counts: columns[0], lon: columns[1], lat: columns[2], weight, tolerance, points: about.points };
      this.sphere(this.layers[name]);
    }
    this.turns(this.layers.land);
  }

  sphere(layer) {
    const xyz = new Float32Array(3 * layer.points);
    for (let k = 0; k < layer.points; k++) {
      const lat = layer.lat[k] * this.grid * RAD, lon = layer.lon[k] * this.grid * RAD, c = Math.cos(lat);
      xyz[3 * k] = c * Math.cos(lon);
      xyz[3 * k + 1] = c * Math.sin(lon);
      xyz[3 * k + 2] = Math.sin(lat);
    }
    layer.xyz = xyz;
  }

  // Which way each ring of land runs: inland seas run the other way than the largest piece of land.
  turns(layer) {
    layer.hole = new Uint8Array(layer.counts.length);
    const areas = [];
    let start = 0, largest = 0;
    layer.counts.forEach((count, ring) => {
      let area = 0, x = layer.lon[start], before = x;
      for (let k = 1; k < count; k++) {
        let next = layer.lon[start + k];
        next -= Math.round((next - before) / (360 / this.grid)) * (360 / this.grid);
        area += before * layer.lat[start + k] - next * layer.lat[start + k - 1];
        before = next;
      }
      areas[ring] = Math.abs(before - x) > 180 / this.grid ? NaN : area; // one that goes round a pole is land
      if (Math.abs(areas[ring]) > Math.abs(areas[largest]) || Number.isNaN(areas[largest])) largest = ring;
      start += count;
    });
    areas.forEach((area, ring) => { layer.hole[ring] = area * areas[largest] < 0 ? 1 : 0; });
  }

  // Features of a layer: everything that matters in a view of so many metres a pixel around a place, `radius` metres wide.
  features(name, lat, lon, metresPerPixel, radius) {
    const layer = this.layers[name], { counts, weight, tolerance, xyz, closed } = layer;
    const c = Math.cos(lat), cx = c * Math.cos(lon), cy = c * Math.sin(lon), cz = Math.sin(lat);
    const least = 0.6 * metresPerPixel, made = [], least2 = closed ? 4 : 2;
    let start = 0;
    for (let line = 0; line < counts.length; line++) {
      const points = [];
      let before = 0, shift = 0;
      for (let k = start; k < start + counts[line]; k++) {
        const limit = tolerance[weight[k]];
        if (limit < least) continue;
        const chord = Math.hypot(xyz[3 * k] - cx, xyz[3 * k + 1] - cy, xyz[3 * k + 2] - cz) * EARTH_M;
        if (limit < PER_M * (chord - radius)) continue;
        const x = layer.lon[k] * this.grid;
        if (points.length) shift -= Math.round((x + shift - before) / 360) * 360;
        before = x + shift;
        points.push([before, layer.lat[k] * this.grid]);
      }
      start += counts[line];
      if (points.length < least2) continue;
      if (closed) this.close(points);
      made.push({
        type: "Feature",
        properties: { hole: layer.hole ? layer.hole[line] : 0 },
        geometry: closed ? { type: "Polygon", coordinates: [points] } : { type: "LineString", coordinates: points },
      });
    }
    return made;
  }

  // A ring round a pole (Antarctica) goes along the pole to its own beginning.
  close(points) {
    const first = points[0], last = points[points.length - 1];
    if (Math.abs(last[0] - first[0]) > 180) {
      const pole = first[1] < 0 ? -90 : 90;
      points.push([last[0], pole], [first[0], pole]);
    }
    if (points[points.length - 1] !== first) points.push(first);
  }
}

// Differences with bytes of equal significance side by side, back to numbers.
function unshuffle(bytes, size) {
  const made = new Int32Array(size);
  let sum = 0;
  for (let k = 0; k < size; k++) {
    sum = (sum + (bytes[k] | (bytes[size + k] << 8) | (bytes[2 * size + k] << 16) | (bytes[3 * size + k] << 24))) | 0;
    made[k] = sum;
  }
  return made;
}
