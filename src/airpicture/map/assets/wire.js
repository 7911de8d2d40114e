// Frames of the picture, as laid out in airpicture/service/wire.py: typed arrays laid over the bytes as they are.

const MAGIC = 0x31575041; // "APW1", little-endian
const HEAD = 56, ENTRY = 12;
const TYPES = { u4: Uint32Array, i4: Int32Array, u2: Uint16Array, i2: Int16Array, u1: Uint8Array, i1: Int8Array };

export const KIND = { full: 0, delta: 1 };
export const MODES = ["live", "replay", "paused"];
export const STATUS = { tentative: 0, confirmed: 1, coasting: 2, ended: 3 };
export const STATUS_NAMES = ["tentative", "confirmed", "coasting", "ended"];
export const TECHNOLOGIES = ["PSR", "SSR", "Mode S", "ADS-B", "MLAT"];
export const DOUBTFUL = 4, BARO = 8, ON_GROUND = 16, IN_AIR = 32;
export const MISSING = -32768, MISSING_U2 = 65535;

// The columns of each section in their order; the twin of SECTIONS in wire.py, and a test holds the two together.
export const SECTIONS = {
  1: ["tracks", [["track", "u4"], ["lat", "i4"], ["lon", "i4"], ["v_east", "i2"], ["v_north", "i2"], ["v_up", "i2"], ["h_ell", "i2"],
    ["h_baro", "i2"], ["age", "u2"], ["sensor", "u2"], ["status", "u1"], ["existence", "u1"], ["major", "u1"], ["minor", "u1"],
    ["axis", "u1"], ["turn", "i1"], ["technologies", "u1"], ["sigma_v", "u1"]]],
  2: ["names", [["track", "u4"], ["address", "i4"], ["mode_3a", "i4"], ["callsign", "S8"], ["category", "u1"]]],
  3: ["gone", [["track", "u4"]]],
  4: ["plots", [["lat", "i4"], ["lon", "i4"], ["sensor", "u2"], ["age", "u2"], ["technology", "u1"]]],
  5: ["trail", [["track", "u4"], ["lat", "i4"], ["lon", "i4"], ["age", "u2"]]],
  6: ["facts", null],
};

// A frame as { kind, mode, forget, number, base, now, newest, arrived, made, speed } and its sections by name. Throws RangeError
// where the bytes aren't a frame.
export function decode(buffer) {
  const view = new DataView(buffer);
  if (buffer.byteLength < HEAD || view.getUint32(0, true) !== MAGIC) throw new RangeError("not a frame");
  const frame = {
    kind: view.getUint8(4), mode: MODES[view.getUint8(5)] || "live", forget: Boolean(view.getUint16(6, true) & 1),
    number: view.getUint32(8, true), base: view.getUint32(12, true),
    now: view.getFloat64(16, true), newest: view.getFloat64(24, true), arrived: view.getFloat64(32, true),
    made: view.getFloat64(40, true), speed: view.getFloat32(48, true),
  };
  const sections = view.getUint32(52, true);
  for (let k = 0; k < sections; k++) {
    const at = HEAD + ENTRY * k;
    const known = SECTIONS[view.getUint32(at, true)];
    if (!known) continue; // a newer service may say more
    const count = view.getUint32(at + 4, true), offset = view.getUint32(at + 8, true);
    frame[known[0]] = known[1] ? columns(buffer, offset, count, known[1]) : json(buffer, offset, count);
  }
  return frame;
}

function columns(buffer, offset, count, layout) {
  const made = { length: count };
  for (const [name, type] of layout) {
    if (type === "S8") { made[name] = new Uint8Array(buffer, offset, 8 * count); offset += 8 * count; continue; }
    made[name] = new TYPES[type](buffer, offset, count);
    offset += made[name].byteLength;
  }
  return made;
}

function json(buffer, offset, count) {
  return JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, offset, count)));
}

// The text of row k of a column of packed names: ASCII up to the first zero, nothing that a terminal or a page could mind.
export function text(bytes, k) {
  let made = "";
  for (let i = 8 * k; i < 8 * k + 8 && bytes[i]; i++) if (bytes[i] > 31 && bytes[i] < 127) made += String.fromCharCode(bytes[i]);
  return made.trim();
}

// Undo log_steps of wire.py: metres, or m/s with a unit of 0.01; NaN where it isn't known.
export const sigma = (step, unit = 0.1) => (step === 255 ? NaN : unit * 2 ** (step / 12));
