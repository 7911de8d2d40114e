// Colours. Marks are told apart by people who see all colours and by those who don't: the palette is Okabe and Ito's (2008), and
// nothing is said by colour alone (status is a shape, alerts are rings and words).

const PALETTE = { blue: "#56b4e9", orange: "#e69f00", green: "#2bb68f", yellow: "#f0e442", deep: "#4f8fd0", red: "#e8743b", pink: "#cc79a7", grey: "#9aa7b3" };
const PALETTE_LIGHT = { blue: "#0068a8", orange: "#a86200", green: "#00785a", yellow: "#7d7400", deep: "#1f4f9a", red: "#bb4700", pink: "#9c3f77", grey: "#5f6b76" };

// Height from the ground to 13 km: cividis-like, readable with any eyes, lighter as it gets higher (darker on a light map).
const HEIGHTS_DARK = ["#e07b39", "#e3b04b", "#c9d35a", "#7ccf8d", "#4cc3c9", "#6aa9f0", "#b49bf2"];
const HEIGHTS_LIGHT = ["#a33e00", "#936000", "#5c6b00", "#00704a", "#006a80", "#1d4fa8", "#5b3a9e"];

export const THEMES = {
  dark: {
    name: "dark", palette: PALETTE, heights: HEIGHTS_DARK, unknown: "#aab6c1",
    halo: [0.03, 0.06, 0.09], selected: [1, 1, 1], alert: [1, 0.42, 0.3], text: "#dfe9f2", textDim: "#9db0c0", textHalo: "rgba(6,11,17,0.85)", alertText: "#ff9a7d", predicted: [0.94, 0.89, 0.26], predictedText: "#f0e442",
    water: "#0a1119", land: "#151f29", coast: "#38505f", border: "#3a4c5a", state: "#25343f", lake: "#0a1119", river: "#16242f", runway: "#7d93a5",
    airport: "#6f8597", airportText: "#8ea2b3", country: "#5d7283", space: "#04070b", ring: "#3f6078", outline: "#2bb68f", measure: "#f0e442", grid: "#1b2933",
  },
  light: {
    name: "light", palette: PALETTE_LIGHT, heights: HEIGHTS_LIGHT, unknown: "#56626d",
    halo: [1, 1, 1], selected: [0.02, 0.06, 0.1], alert: [0.8, 0.12, 0.02], text: "#15212b", textDim: "#4d5f6d", textHalo: "rgba(255,255,255,0.85)", alertText: "#b32400", predicted: [0.55, 0.37, 0], predictedText: "#7a5200",
    water: "#d3e0e9", land: "#f5f4ef", coast: "#8fa5b3", border: "#a9a79c", state: "#dddbd0", lake: "#d3e0e9", river: "#c4d6e2", runway: "#5b6670",
    airport: "#7a8791", airportText: "#5c6a75", country: "#8d9499", space: "#b9c7d1", ring: "#7396ad", outline: "#00785a", measure: "#7a4a00", grid: "#c3d1da",
  },
};

export const SENSOR_COLOURS = ["orange", "blue", "green", "pink", "yellow", "red", "deep", "grey"];
export const SOURCE_COLOURS = { "ADS-B": "blue", MLAT: "pink", "Mode S": "green", SSR: "yellow", PSR: "orange", none: "grey" };

// "#rrggbb" as the word that four bytes R, G, B, A make, little-endian.
export function word(colour, alpha = 255) {
  const v = parseInt(colour.slice(1), 16);
  return ((alpha << 24) | ((v & 255) << 16) | (v & 0xff00) | (v >> 16)) >>> 0;
}
