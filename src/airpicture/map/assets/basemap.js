// The map below the tracks: land, water, borders, airports and runways, and what users bring of their own. Style for MapLibre.

import { EARTH_M, RAD, ring } from "./camera.js";
import { World } from "./world.js";

const EMPTY = { type: "FeatureCollection", features: [] };
const FONT = ["sans-serif"]; // with no glyphs in the style MapLibre writes with the browser's own fonts
const OUTLINES = ["land", "lakes", "rivers", "borders", "states"];
const NEAR = 4.6; // zoom from which outlines are those of the view; below it the whole world's, once and for all
const SIGN = 11, SIGNS_MAX = 200; // pixels; names
const NAMES = { from: 1.5, to: 6.6, small: 9, large: 13, largeAt: 5, most: [[0, 45], [3, 90], [4, 140], [6.1, 400]], letters: 10 }; // of countries
const FAR_M = 9000; // metres a pixel for which the latter are made
const RING_STEPS = [1, 2, 5, 10, 20, 25, 50, 100, 150, 200, 500, 1000]; // km or NM

export class Basemap {
  constructor(map, base, options, look, about, units) {
    Object.assign(this, { map, base, options, look, about, units, stations: [], marks: [], outline: EMPTY, areas: EMPTY });
    this.shown = { zoom: -9, lat: 0, lon: 0 };
  }

  static style(theme, about) {
    const t = theme, geo = (extra = {}) => ({ type: "geojson", data: EMPTY, ...extra });
    const line = (id, source, paint, more = {}) => ({ id, type: "line", source, paint, layout: { "line-join": "round" }, ...more });
    const text = (id, source, field, size, colour, more = {}, layout = {}) => ({
      id, type: "symbol", source, layout: { "text-field": field, "text-font": FONT, "text-size": size, ...layout },
      paint: { "text-color": colour, "text-halo-color": t.land, "text-halo-width": 1.2 }, ...more,
    });
    const tiles = about.tiles ? { tiles: ownTiles(about) } : {}, vectors = about.archive?.kind === "vector";
    const bare = about.tiles && !vectors ? 0 : 1; // with tiles of the user's own, our land stands back
    const overlays = (about.overlays || []).flatMap((_, k) => [[`overlay-${k}`, geo()], [`overlay-${k}-signs`, geo()]]);
    return {
      version: 8,
      sources: {
        ...Object.fromEntries(OUTLINES.flatMap((name) => [[name, geo({ maxzoom: 12, buffer: 16, tolerance: 0.2 })], [`${name}-far`, geo({ maxzoom: 4, buffer: 16, tolerance: 0.6 })]])),
        airports: geo({ maxzoom: 10 }), runways: geo({ maxzoom: 15, tolerance: 0.1 }), countries: geo({ maxzoom: 6 }), grid: geo({ maxzoom: 6 }),
        rings: geo({ tolerance: 0.1 }), "ring-names": geo(), coverage: geo(), areas: geo(), ...tiles, ...Object.fromEntries(overlays),
      },
      layers: [
        { id: "water", type: "background", paint: { "background-color": t.water } },
        ...(about.tiles && !vectors ? [{ id: "tiles", type: "raster", source: "tiles" }] : []),
        ...outlines(t, bare, "-far", { maxzoom: NEAR }),
        ...outlines(t, bare, "", { minzoom: NEAR }),
        ...(vectors ? about.archive.layers.flatMap((layer) => vectorLayers(t, layer)) : []),
        line("grid", "grid", { "line-color": t.grid, "line-width": 0.6, "line-opacity": 0.6 }),
        line("runways", "runways", { "line-color": t.runway, "line-width": ["interpolate", ["exponential", 2], ["zoom"], 7, 0.8, 11, 2, 16, 22] }, { minzoom: 7 }),
        ...overlays.filter(([id]) => !id.endsWith("signs")).flatMap(([id]) => [
          { id: `${id}-fill`, type: "fill", source: id, filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": t.outline, "fill-opacity": 0.06 } },
          line(`${id}-line`, id, { "line-color": t.outline, "line-width": 1.2, "line-opacity": 0.8 }),
          { id: `${id}-point`, type: "circle", source: id, filter: ["==", ["geometry-type"], "Point"], paint: { "circle-radius": 3, "circle-color": t.land, "circle-stroke-color": t.outline, "circle-stroke-width": 1.4 } },
          text(`${id}-name`, `${id}-signs`, ["get", "text"], SIGN, t.textDim, {}, { "text-anchor": "bottom", "text-offset": [0, -0.3] }),
        ]),
        { id: "areas-fill", type: "fill", source: "areas", paint: { "fill-color": ["get", "colour"], "fill-opacity": 0.1 } },
        line("areas", "areas", { "line-color": ["get", "colour"], "line-width": 1.5 }),
        { id: "coverage-fill", type: "fill", source: "coverage", paint: { "fill-color": t.outline, "fill-opacity": 0.05 } },
        line("coverage", "coverage", { "line-color": t.outline, "line-width": 1.4, "line-opacity": 0.8 }),
        line("rings", "rings", { "line-color": t.ring, "line-width": ["case", ["get", "outer"], 1.5, 0.8], "line-opacity": ["case", ["get", "outer"], 0.95, 0.6] }),
        text("ring-names", "ring-names", ["get", "name"], 10.5, t.textDim),
        { id: "airports", type: "circle", source: "airports", minzoom: 5, filter: visible(), paint: { "circle-radius": ["interpolate", ["linear"], ["zoom"], 5, 1.6, 9, 3], "circle-color": t.land, "circle-stroke-color": t.airport, "circle-stroke-width": 1.1 } },
        text("airport-names", "airports", ["step", ["zoom"], ["get", "ident"], 9, ["concat", ["get", "ident"], "\n", ["get", "name"]]], 10, t.airportText,
          { minzoom: 6.2, filter: visible() }, { "text-anchor": "top", "text-offset": [0, 0.5], "symbol-sort-key": ["get", "rank"], "text-max-width": 12, "text-padding": 6 }),
        text("countries", "countries", ["get", "name"], ["interpolate", ["linear"], ["zoom"], NAMES.from, NAMES.small, NAMES.largeAt, NAMES.large], t.country,
          { minzoom: NAMES.from, maxzoom: NAMES.to, filter: ["<", ["get", "order"], ["step", ["zoom"], ...NAMES.most.flat().slice(1)]] }, { "symbol-sort-key": ["get", "order"], "text-letter-spacing": 0.12, "text-transform": "uppercase", "text-padding": 8, "text-max-width": 8 }),
      ],
    };
  }

  // Fetch the world and the airports, and put them on the map.
  async load() {
    const get = async (name, kind) => (await fetch(`${this.base}${name}`))[kind]();
    const [world, airports, countries] = await Promise.all([get("world.bin", "arrayBuffer"), get("vendor/airports.json", "json"), get("vendor/countries.json", "json")]);
    this.world = new World(world);
    this.overlays = await Promise.all((this.about.overlays || []).map(async (_, k) => { const got = await fetch(`/map/overlay/${k}`); return got.ok ? got.json() : EMPTY; }));
    this.airports = airports;
    this.countries = countries;
    this.put();
    this.map.on("moveend", () => this.detail());
  }

  // Everything into the sources of a new style.
  put() {
    if (!this.world) return;
    const point = (lon, lat, properties) => ({ type: "Feature", properties, geometry: { type: "Point", coordinates: [lon, lat] } });
    const a = this.airports, set = (name, features) => this.map.getSource(name)?.setData({ type: "FeatureCollection", features });
    set("airports", a.ident.map((ident, k) => point(a.lon[k], a.lat[k], { ident, name: a.name[k], rank: a.rank[k] })));
    const runways = [];
    for (let k = 0; k < a.runways.length; k += 4) {
      const [la, lo, lb, lp] = a.runways.slice(k, k + 4).map((v) => v * 1e-5);
      runways.push({ type: "Feature", properties: {}, geometry: { type: "LineString", coordinates: [[lo, la], [lp, lb]] } });
    }
    set("runways", runways);
    set("countries", this.countries.map(([name, lon, lat], order) => point(lon, lat, { name, order })));
    set("grid", graticule());
    for (const name of OUTLINES) set(`${name}-far`, this.world.features(name, 0, 0, FAR_M, 1e8));
    this.signs = [];
    this.overlays.forEach((overlay, k) => {
      const found = signs(overlay);
      this.signs.push(...found);
      this.map.getSource(`overlay-${k}`)?.setData(overlay);
      set(`overlay-${k}-signs`, found.map(({ lon, lat, name }) => point(lon, lat, { text: name })));
    });
    this.shown.zoom = -9;
    this.detail();
    this.rings();
    this.covered(this.outline);
    this.mark(this.areas);
    this.switches();
  }

  // Outlines at the detail of the view, when that has become another one.
  detail() {
    const zoom = this.map.getZoom(), { lat, lng } = this.map.getCenter(), s = this.shown;
    const metres = (2 * Math.PI * EARTH_M * Math.cos(lat * RAD)) / (512 * 2 ** zoom), canvas = this.map.getCanvas();
    const radius = metres * 0.5 * Math.hypot(canvas.clientWidth, canvas.clientHeight);
    const gone = Math.hypot((lat - s.lat) * 111e3, (((lng - s.lon + 540) % 360) - 180) * 111e3 * Math.cos(lat * RAD));
    if (zoom < NEAR - 0.3 || (Math.abs(zoom - s.zoom) < 0.8 && gone < radius)) return;
    this.shown = { zoom, lat, lon: lng };
    for (const name of OUTLINES) {
      const features = this.world.features(name, lat * RAD, lng * RAD, metres / 2, 2.5 * radius);
      this.map.getSource(name)?.setData({ type: "FeatureCollection", features });
    }
  }

  // Boxes on the screen of names that data blocks keep clear of: of overlays, of so many that people read them, of countries and rings.
  boxes(camera) {
    const made = this.named(camera), at = [0, 0];
    for (const { properties: { name }, geometry } of this.options.get("rings") ? this.marks : []) {
      camera.project(geometry.coordinates[1] * RAD, geometry.coordinates[0] * RAD, at);
      if (at[0] === at[0]) made.push([at[0] - 3.2 * name.length, at[1] - 8, at[0] + 3.2 * name.length, at[1] + 8]);
    }
    if (!this.signs?.length || this.signs.length > SIGNS_MAX) return made;
    return made.concat(this.signs.map(({ lon, lat, name }) => {
      const { x, y } = this.map.project([lon, lat]), half = 0.29 * SIGN * name.length + 2;
      return [x - half, y - 1.6 * SIGN, x + half, y];
    }));
  }

  // Those of countries, as the style has them: size by zoom, wide capitals, lines of so many letters.
  named(camera) {
    const zoom = this.map.getZoom(), at = [0, 0], made = [];
    if (!this.countries || !this.options.get("names") || zoom < NAMES.from || zoom >= NAMES.to) return made;
    const size = NAMES.small + (NAMES.large - NAMES.small) * Math.min(1, (zoom - NAMES.from) / (NAMES.largeAt - NAMES.from));
    const most = NAMES.most.reduce((found, [least, count]) => (zoom >= least ? count : found), 0);
    for (const [name, lon, lat] of this.countries.slice(0, most)) {
      camera.project(lat * RAD, lon * RAD, at);
      if (!(at[0] > -100 && at[1] > -40 && at[0] < camera.width + 100 && at[1] < camera.height + 40)) continue;
      const lines = name.split(" ").reduce((made, word) => { const last = made[made.length - 1]; if (last !== undefined && last.length + word.length < NAMES.letters) made[made.length - 1] += ` ${word}`; else made.push(word); return made; }, []);
      const half = 0.42 * size * Math.max(...lines.map((line) => line.length)), high = 0.6 * size * lines.length;
      made.push([at[0] - half, at[1] - high, at[0] + half, at[1] + high]);
    }
    return made;
  }

  // What the options switch on and off.
  switches() {
    const show = (ids, on) => ids.forEach((id) => this.map.getLayer(id) && this.map.setLayoutProperty(id, "visibility", on ? "visible" : "none"));
    const o = this.options;
    show(["airports", "airport-names", "runways"], o.get("airports"));
    show(["countries"], o.get("names"));
    show(["borders", "states", "borders-far", "states-far"], o.get("borders"));
    show(["rings", "ring-names"], o.get("rings"));
    show(["coverage", "coverage-fill"], o.get("coverage"));
  }

  // Rings of range about radars: some within the coverage, and its limit.
  rings(stations = this.stations) {
    this.stations = stations;
    const radars = stations.filter((s) => s.kind === "radar" && s.range_m && s.lat !== null), lines = [], names = [];
    const unit = this.units.si ? 1000 : 1852, name = this.units.si ? "km" : "NM";
    for (const radar of radars) {
      const step = unit * RING_STEPS.reduce((best, one) => (Math.abs(one * unit - radar.range_m / 4) < Math.abs(best * unit - radar.range_m / 4) ? one : best));
      const inner = [];
      if (radars.length <= 6) for (let r = step; r < radar.range_m * 0.96; r += step) inner.push(r);
      for (const r of [...inner, radar.range_m]) {
        const points = ring(radar.lat * RAD, radar.lon * RAD, r);
        lines.push({ type: "Feature", properties: { outer: r === radar.range_m }, geometry: { type: "LineString", coordinates: points } });
        names.push({ type: "Feature", properties: { name: `${+(r / unit).toPrecision(r / unit < 10 ? 2 : 3)} ${name}` }, geometry: { type: "Point", coordinates: points[0] } });
      }
    }
    this.map.getSource("rings")?.setData({ type: "FeatureCollection", features: lines });
    this.map.getSource("ring-names")?.setData({ type: "FeatureCollection", features: names });
    this.marks = names;
  }

  covered(outline) {
    this.outline = outline;
    this.map.getSource("coverage")?.setData(outline);
  }

  mark(areas) {
    this.areas = areas;
    this.map.getSource("areas")?.setData(areas);
  }
}

// The layers of one set of outlines: of the whole world ("-far"), or of the view.
function outlines(t, bare, far, zooms) {
  const line = (name, source, paint) => ({ id: name + far, type: "line", source: source + far, paint, layout: { "line-join": far ? "miter" : "round" }, ...zooms });
  const fill = (name, source, paint, more = {}) => ({ id: name + far, type: "fill", source: source + far, paint: { "fill-opacity": bare, ...paint }, ...more, ...zooms });
  return [
    fill("land", "land", { "fill-color": t.land, "fill-antialias": false }, { filter: ["==", ["get", "hole"], 0] }),
    fill("seas", "land", { "fill-color": t.water, "fill-antialias": false }, { filter: ["==", ["get", "hole"], 1] }),
    line("rivers", "rivers", { "line-color": t.river, "line-width": 1, "line-opacity": far ? 0 : 1 }),
    fill("lakes", "lakes", { "fill-color": t.lake, "fill-outline-color": t.coast }),
    line("states", "states", { "line-color": t.state, "line-width": 0.8 }),
    line("borders", "borders", { "line-color": t.border, "line-width": 0.9, "line-dasharray": [4, 2.5] }),
    line("coast", "land", { "line-color": t.coast, "line-width": far ? 0.6 : 1 }),
  ];
}

// The source of the user's own tiles: an address, or a file that the service reads.
function ownTiles({ tiles, tiles_note, archive }) {
  const address = tiles.startsWith("/") ? location.origin + tiles : tiles; // workers have no address to start from
  const { kind, layers, ...rest } = archive || { kind: "raster" };
  return { type: kind, tiles: [address], ...(kind === "raster" ? { tileSize: 256 } : {}), attribution: tiles_note || "", ...rest };
}

// A layer of vectors that we know nothing of but its name: water is filled, all else is lines.
function vectorLayers(t, layer) {
  const water = /water|ocean|sea|lake/i.test(layer), shared = { source: "tiles", "source-layer": layer }, road = /road|transport|street|highway|rail/i.test(layer);
  const colour = water ? t.coast : /bound|admin|border/i.test(layer) ? t.border : road ? t.state : t.grid;
  return [
    ...(water ? [{ id: `own-${layer}-fill`, type: "fill", ...shared, filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": t.water } }] : []),
    { id: `own-${layer}`, type: "line", ...shared, filter: ["!=", ["geometry-type"], "Point"], paint: { "line-color": colour, "line-width": road ? ["interpolate", ["linear"], ["zoom"], 6, 0.5, 14, 2] : 0.7 } },
  ];
}

// Large airports first; the others as there's room.
function visible() {
  return ["any", ["==", ["get", "rank"], 0], ["all", ["==", ["get", "rank"], 1], [">=", ["zoom"], 7]], [">=", ["zoom"], 8.5]];
}

// Where the names of an overlay stand: on points, and on the northern edge of all else, where they cover nothing of it.
function signs(overlay) {
  const features = overlay.type === "FeatureCollection" ? overlay.features || [] : [overlay], made = [];
  const walk = (at, visit) => { if (typeof at?.[0] === "number") visit(at); else if (Array.isArray(at)) for (const one of at) walk(one, visit); };
  for (const { properties, geometry } of features) {
    const name = properties && (properties.name || properties.title);
    if (!name || !geometry) continue;
    let top = null;
    walk(geometry.coordinates, (at) => { if (!top || at[1] > top[1]) top = at; });
    if (top) made.push({ lon: top[0], lat: top[1], name: String(name).slice(0, 60) });
  }
  return made;
}

function graticule() {
  const lines = [], points = (n, f) => Array.from({ length: n + 1 }, (_, k) => f(k / n));
  for (let lon = -180; lon < 180; lon += 15) lines.push(points(32, (u) => [lon, -85 + 170 * u]));
  for (let lat = -75; lat <= 75; lat += 15) lines.push(points(72, (u) => [-180 + 360 * u, lat]));
  return lines.map((coordinates) => ({ type: "Feature", properties: {}, geometry: { type: "LineString", coordinates } }));
}
