// Numbers for people, in the units they chose. Unknown is a dash, never a zero.

const FT = 0.3048, NMI = 1852, KT = 1852 / 3600;
const DASH = "–";

export const SYSTEMS = { aviation: "Aviation: ft, kt, NM", si: "SI: m, m/s, km" };

export class Units {
  constructor() { this.system = "aviation"; }

  get si() { return this.system === "si"; }

  // Height as controllers write it: flight levels above the transition, else hundreds of feet or metres.
  level(metres, pressure) {
    if (!Number.isFinite(metres)) return "";
    if (this.si) return Math.round(metres) + "m";
    const feet = metres / FT;
    return feet < 950 && !pressure ? Math.round(feet / 10) * 10 + "ft" : (pressure && feet > 6000 ? "FL" : "A") + String(Math.max(0, Math.round(feet / 100))).padStart(3, "0");
  }

  height(metres) {
    if (!Number.isFinite(metres)) return DASH;
    return this.si ? `${group(Math.round(metres))} m` : `${group(Math.round(metres / FT / 25) * 25)} ft`;
  }

  speed(mps) {
    if (!Number.isFinite(mps)) return DASH;
    return this.si ? `${mps.toFixed(mps < 20 ? 1 : 0)} m/s` : `${Math.round(mps / KT)} kt`;
  }

  speedShort(mps) {
    if (!Number.isFinite(mps)) return "";
    return this.si ? Math.round(mps) + "m/s" : String(Math.round(mps / KT));
  }

  climb(mps) {
    if (!Number.isFinite(mps)) return DASH;
    return this.si ? `${signed(mps, 1)} m/s` : `${signed(Math.round((mps / FT) * 60 / 50) * 50, 0)} ft/min`;
  }

  distance(metres) {
    if (!Number.isFinite(metres)) return DASH;
    if (this.si) return metres < 2000 ? `${Math.round(metres)} m` : `${(metres / 1000).toFixed(metres < 100e3 ? 1 : 0)} km`;
    return metres < 500 ? `${Math.round(metres / FT)} ft` : `${(metres / NMI).toFixed(metres < 100 * NMI ? 1 : 0)} NM`;
  }

  // Sigmas and the like are lengths on the ground: metres in both systems' small range, as in every surveillance standard.
  accuracy(metres) {
    if (!Number.isFinite(metres)) return DASH;
    return metres < 10 ? `${metres.toFixed(1)} m` : metres < 2000 ? `${Math.round(metres)} m` : `${(metres / 1000).toFixed(1)} km`;
  }

  // Axis values of charts: the number in the chosen unit, and its name.
  heightAxis() { return this.si ? [1, "m"] : [1 / FT, "ft"]; }
  speedAxis() { return this.si ? [1, "m/s"] : [1 / KT, "kt"]; }
}

export const bearing = (radians) => (Number.isFinite(radians) ? String(Math.round((radians * 180) / Math.PI + 360) % 360).padStart(3, "0") + "°" : DASH);
export const climbArrow = (vu) => (!(Math.abs(vu) > 1.5) ? "" : vu > 0 ? "↑" : "↓");

export function seconds(s) {
  if (!Number.isFinite(s)) return DASH;
  if (s < 0) return "0 s";
  return s < 10 ? `${s.toFixed(1)} s` : s < 120 ? `${Math.round(s)} s` : s < 7200 ? `${Math.round(s / 60)} min` : s < 172800 ? `${(s / 3600).toFixed(1)} h` : `${Math.round(s / 86400)} days`;
}

export const clock = (ms) => (Number.isFinite(ms) ? new Date(ms).toISOString().slice(11, 19) : DASH);
export const day = (ms) => (Number.isFinite(ms) ? new Date(ms).toISOString().slice(0, 10) : DASH);

// Degrees, minutes and seconds, as on charts: 41°46'30"N 002°26'17"E.
export function position(lat, lon) {
  const part = (value, digits, letters) => {
    const total = Math.round(Math.abs(value) * 3600), d = Math.floor(total / 3600), m = Math.floor(total / 60) % 60;
    return `${String(d).padStart(digits, "0")}°${String(m).padStart(2, "0")}′${String(total % 60).padStart(2, "0")}″${value < 0 ? letters[1] : letters[0]}`;
  };
  if (!Number.isFinite(lat) || !Number.isFinite(lon)) return DASH;
  return `${part(lat, 2, "NS")} ${part(((lon + 540) % 360) - 180, 3, "EW")}`;
}

function signed(value, digits) { return (value > 0 ? "+" : value < 0 ? "−" : "") + group(Math.abs(value).toFixed(digits)); }
function group(value) { return String(value).replace(/\B(?=(\d{3})+(?!\d))/g, " "); }
