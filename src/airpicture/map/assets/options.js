// What the user has chosen: kept in this browser, carried in the address so that a link shows the same thing.

export const DEFAULTS = {
  theme: "auto", // auto, dark, light
  units: "aviation",
  projection: "globe", // globe, mercator
  colour: "source", // source, height, status, age
  symbols: "kind", // kind, source
  labels: "auto", // auto, off, 1, 2, 3
  vector: 60, // s
  trail: 8, // dots
  ellipses: "selected", // off, selected, all
  plots: true,
  rings: true,
  coverage: false,
  airports: true,
  names: true,
  borders: true,
  tentative: true,
  heightMin: "", // flight levels
  heightMax: "",
  kinds: "", // left out, comma separated
  sources: "",
  statuses: "",
  area: "", // west,south,east,north in degrees
};

const STORE = "airpicture.options";

export class Options extends EventTarget {
  constructor() {
    super();
    this.values = { ...DEFAULTS };
    try { this.take(JSON.parse(localStorage.getItem(STORE) || "{}")); } catch { /* a browser that keeps nothing */ }
  }

  get(name) { return this.values[name]; }

  // Take what is known of an object, each value as the type of its default.
  take(found) {
    for (const [name, value] of Object.entries(found)) {
      const usual = DEFAULTS[name];
      if (usual === undefined) continue;
      if (typeof usual === "boolean") this.values[name] = value === true || value === "1" || value === "true";
      else if (typeof usual === "number") { const n = Number(value); if (Number.isFinite(n) && n >= 0 && n <= 3600) this.values[name] = n; }
      else this.values[name] = String(value).slice(0, 200);
    }
  }

  set(name, value) {
    if (this.values[name] === value) return;
    this.take({ [name]: value });
    try { localStorage.setItem(STORE, JSON.stringify(this.changed())); } catch { /* likewise */ }
    this.dispatchEvent(new CustomEvent("change", { detail: name }));
  }

  // What differs from the defaults.
  changed() {
    return Object.fromEntries(Object.entries(this.values).filter(([name, value]) => value !== DEFAULTS[name]));
  }
}

// The address's part behind the #, as an object; and back.
export function readHash() {
  return Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
}

export function writeHash(values) {
  const text = new URLSearchParams(Object.entries(values).map(([k, v]) => [k, v === true ? "1" : v === false ? "0" : String(v)])).toString().replace(/%2C/g, ",").replace(/%2F/g, "/");
  history.replaceState(null, "", "#" + text);
}
