// What "the whole picture" is: where most of the tracks are. A few that stand alone far off (a garbled report may put one on another
// continent) don't make everything else a dot.

const CELL = 3; // degrees; what lies in cells that touch belongs together
const MOST = 0.6; // of all: one group that holds so many is the picture, else all of it
const CUT = 0.01; // of the members at each edge

// [[west, south], [east, north]] in degrees of places; east may lie beyond 180. null where there's none.
export function extent(lat, lon) {
  const n = lat.length, cells = new Map(), wide = 360 / CELL;
  if (!n) return null;
  const key = (row, column) => row * wide + ((column % wide) + wide) % wide;
  for (let k = 0; k < n; k++) {
    const at = key(Math.floor((lat[k] + 90) / CELL), Math.floor((lon[k] + 180) / CELL)), cell = cells.get(at);
    if (cell) cell.push(k); else cells.set(at, [k]);
  }
  let best = [];
  const met = new Set();
  for (const begin of cells.keys()) {
    const waiting = [begin], members = [];
    while (waiting.length) {
      const at = waiting.pop();
      if (met.has(at) || !cells.has(at)) continue;
      met.add(at);
      members.push(cells.get(at));
      const row = Math.floor(at / wide), column = at % wide;
      for (let i = -1; i <= 1; i++) for (let j = -1; j <= 1; j++) waiting.push(key(row + i, column + j));
    }
    const group = members.flat();
    if (group.length > best.length) best = group;
  }
  const chosen = best.length >= MOST * n ? best : Array.from({ length: n }, (_, k) => k), first = lon[chosen[0]];
  const x = Float64Array.from(chosen, (k) => first + ((((lon[k] - first + 540) % 360) + 360) % 360) - 180).sort();
  const y = Float64Array.from(chosen, (k) => lat[k]).sort();
  const low = Math.floor(chosen.length * CUT), high = Math.min(chosen.length - 1, Math.ceil(chosen.length * (1 - CUT)));
  return [[x[low], y[low]], [x[high], y[high]]];
}
