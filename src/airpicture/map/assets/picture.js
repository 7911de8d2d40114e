// The picture as this page holds it: columns by slot, a slot for each track. Radians, metres, seconds; NaN is unknown.

import { FLAT_X, FLAT_Y, mercatorX, mercatorY } from "./camera.js";
import { Rows } from "./rows.js";
import { DOUBTFUL, IN_AIR, KIND, MISSING, MISSING_U2, ON_GROUND, sigma, text } from "./wire.js";

export const TRAIL = 16; // earlier places of each track
const TRAIL_EVERY_MS = 9500;
const RAD = Math.PI / 180;
const PIECE = 2000; // rows that are taken without a break: about a millisecond

const FLOATS = ["lat", "lon", "ve", "vn", "vu", "h", "baro", "major", "minor", "axis", "turn", "sv", "existence", "t", "plotT"];
const BYTES = ["status", "doubtful", "said", "tech", "alert", "shape", "hidden"];

export class Picture {
  constructor() {
    this.slots = new Map(); // track number -> slot
    this.n = 0;
    this.capacity = 0;
    this.names = []; // { callsign, address, code } by slot
    this.version = 0; // rises with every change
    this.changed = new Rows(); // since somebody asked: what to look at anew
    this.trailed = new Rows(); // those whose trail is another one
    this.worked = 0; // rows of tracks taken, ever
    this.grow(512);
  }

  grow(capacity) {
    const more = (Type, old, per = 1) => { const made = new Type(capacity * per); if (old) made.set(old); return made; };
    for (const name of FLOATS) this[name] = more(Float64Array, this[name]);
    for (const name of BYTES) this[name] = more(Uint8Array, this[name]);
    this.id = more(Uint32Array, this.id);
    this.frame = more(Uint32Array, this.frame); // number of the whole picture that it was in
    this.sphere = more(Float32Array, this.sphere, 3); // place on the unit sphere, y the pole, z 0° E
    this.flat = more(Int32Array, this.flat, 2); // place on Mercator's square, in steps
    this.sensor = more(Uint16Array, this.sensor);
    this.trailLat = more(Float32Array, this.trailLat, TRAIL);
    this.trailLon = more(Float32Array, this.trailLon, TRAIL);
    this.trailT = more(Float64Array, this.trailT, TRAIL);
    this.trailN = more(Uint8Array, this.trailN); // how many
    this.trailAt = more(Uint8Array, this.trailAt); // where the next one goes
    this.capacity = capacity;
  }

  clear() {
    this.slots.clear();
    this.names.length = this.n = 0;
    this.version++;
  }

  // Take a frame, in pieces. A whole picture keeps the trails of tracks that go on, unless the past is another one now.
  *apply(frame) {
    if (frame.forget) this.clear();
    if (frame.gone) yield* pieces(frame.gone.length, (from, to) => { for (let k = from; k < to; k++) this.remove(this.slots.get(frame.gone.track[k])); });
    if (frame.tracks) yield* pieces(frame.tracks.length, (from, to) => this.states(frame.tracks, frame.now, frame.number, from, to));
    if (frame.kind === KIND.full) { const n = this.n; yield* pieces(n, (from, to) => { for (let k = from; k < to; k++) if (this.frame[n - 1 - k] !== frame.number) this.remove(n - 1 - k); }); }
    if (frame.names) yield* pieces(frame.names.length, (from, to) => this.identities(frame.names, from, to));
    if (frame.trail) yield* this.trails(frame.trail, frame.now);
    this.version++;
  }

  slot(id) {
    let slot = this.slots.get(id);
    if (slot === undefined) {
      if (this.n === this.capacity) this.grow(2 * this.capacity);
      slot = this.n++;
      this.slots.set(id, slot);
      this.id[slot] = id;
      this.names[slot] = NOBODY;
      this.trailN[slot] = this.trailAt[slot] = this.alert[slot] = this.hidden[slot] = 0;
      this.trailed.add(slot);
    }
    return slot;
  }

  // The last slot moves to the place of the one that goes.
  remove(slot) {
    if (slot === undefined) return;
    const last = --this.n;
    this.slots.delete(this.id[slot]);
    if (slot !== last) {
      for (const name of [...FLOATS, ...BYTES, "id", "frame", "sensor", "trailN", "trailAt"]) this[name][slot] = this[name][last];
      for (const [name, each] of [["trailLat", TRAIL], ["trailLon", TRAIL], ["trailT", TRAIL], ["sphere", 3], ["flat", 2]]) this[name].copyWithin(slot * each, last * each, (last + 1) * each);
      this.names[slot] = this.names[last];
      this.slots.set(this.id[slot], slot);
      this.changed.add(slot);
      this.trailed.add(slot);
    }
    this.names.length = last;
  }

  states(tracks, now, number, from, to) {
    const speed = (value) => (value === MISSING ? NaN : 0.1 * value);
    this.worked += to - from;
    for (let k = from; k < to; k++) {
      const slot = this.slot(tracks.track[k]), lat = tracks.lat[k] * 1e-7 * RAD, lon = tracks.lon[k] * 1e-7 * RAD;
      this.changed.add(slot);
      this.frame[slot] = number;
      this.lat[slot] = lat;
      this.lon[slot] = lon;
      place(lat, lon, this.sphere, 3 * slot, this.flat, 2 * slot);
      this.ve[slot] = speed(tracks.v_east[k]);
      this.vn[slot] = speed(tracks.v_north[k]);
      this.vu[slot] = speed(tracks.v_up[k]);
      this.h[slot] = tracks.h_ell[k] === MISSING ? NaN : 2 * tracks.h_ell[k];
      this.baro[slot] = tracks.h_baro[k] === MISSING ? NaN : 3.048 * tracks.h_baro[k];
      this.plotT[slot] = tracks.age[k] === MISSING_U2 ? NaN : now - 100 * tracks.age[k];
      this.sensor[slot] = tracks.sensor[k];
      this.status[slot] = tracks.status[k] & 3;
      this.doubtful[slot] = tracks.status[k] & DOUBTFUL ? 1 : 0;
      this.said[slot] = tracks.status[k] & (ON_GROUND | IN_AIR);
      this.existence[slot] = tracks.existence[k] / 255;
      this.major[slot] = sigma(tracks.major[k]);
      this.minor[slot] = sigma(tracks.minor[k]);
      this.axis[slot] = (tracks.axis[k] * Math.PI) / 256;
      this.turn[slot] = tracks.turn[k] * 0.1 * RAD;
      this.tech[slot] = tracks.technologies[k];
      this.sv[slot] = sigma(tracks.sigma_v[k], 0.01);
      this.t[slot] = now;
      this.shape[slot] = this.kind(slot);
      const newest = slot * TRAIL + ((this.trailAt[slot] + TRAIL - 1) % TRAIL);
      if (!this.trailN[slot] || now - this.trailT[newest] >= TRAIL_EVERY_MS) this.leave(slot, this.lat[slot], this.lon[slot], now);
    }
  }

  // Put down a dot where a track is.
  leave(slot, lat, lon, t) {
    const at = slot * TRAIL + this.trailAt[slot];
    this.trailLat[at] = lat;
    this.trailLon[at] = lon;
    this.trailT[at] = t;
    this.trailAt[slot] = (this.trailAt[slot] + 1) % TRAIL;
    this.trailN[slot] = Math.min(TRAIL, this.trailN[slot] + 1);
    this.trailed.add(slot);
  }

  *trails(trail, now) {
    const reset = new Set();
    yield* pieces(trail.length, (from, to) => {
      for (let k = from; k < to; k++) {
        const slot = this.slots.get(trail.track[k]);
        if (slot === undefined) continue;
        if (!reset.has(slot)) { reset.add(slot); this.trailN[slot] = this.trailAt[slot] = 0; }
        this.leave(slot, trail.lat[k] * 1e-7 * RAD, trail.lon[k] * 1e-7 * RAD, now - 100 * trail.age[k]);
      }
    });
  }

  identities(names, from, to) {
    for (let k = from; k < to; k++) {
      const slot = this.slots.get(names.track[k]);
      if (slot === undefined) continue;
      this.names[slot] = { callsign: text(names.callsign, k), address: names.address[k], code: names.mode_3a[k], category: names.category[k] };
      this.shape[slot] = this.kind(slot);
      this.changed.add(slot);
    }
  }

  // What it looks like from how it moves, and from what it said of itself and of being on the ground or in the air: 0 aircraft, 1 fast,
  // 2 slow in the air, 3 on the surface, 4 standing or unknown.
  kind(slot) {
    const speed = Math.hypot(this.ve[slot], this.vn[slot]);
    const height = Number.isFinite(this.h[slot]) ? this.h[slot] : this.baro[slot];
    const said = this.said[slot], category = this.names[slot].category;
    if (category === 0xc1 || category === 0xc2) return speed > 1.5 || said === ON_GROUND ? 3 : 4; // vehicles
    if (!(speed > 1.5)) return said === ON_GROUND ? 3 : 4;
    if (speed > 360) return 1;
    if (said === ON_GROUND && speed < 130) return 3; // faster, it took off where nobody heard it say so
    if (said !== IN_AIR && speed < 22 && !(height > 300)) return 3;
    return speed < 75 ? 2 : 0;
  }

  // Callsign, else address, else Mode A, else track number.
  name(slot) {
    const { callsign, address, code } = this.names[slot];
    return callsign || (address >= 0 ? address.toString(16).toUpperCase().padStart(6, "0") : "")
      || (code >= 0 ? "A" + code.toString(8).padStart(4, "0") : "") || "#" + this.id[slot];
  }

  // Height for reading [m]: pressure height where there is one, as everybody on the radio speaks of it.
  height(slot) {
    return Number.isFinite(this.baro[slot]) ? this.baro[slot] : this.h[slot];
  }
}

const NOBODY = Object.freeze({ callsign: "", address: -1, code: -1, category: 0 });

// A place in the two forms that are drawn from: on the unit sphere, and on Mercator's square.
export function place(lat, lon, sphere, s, flat, f) {
  const c = Math.cos(lat);
  sphere[s] = Math.sin(lon) * c;
  sphere[s + 1] = Math.sin(lat);
  sphere[s + 2] = Math.cos(lon) * c;
  flat[f] = mercatorX(lon) * FLAT_X; // whole numbers of 32 bits, going round
  flat[f + 1] = mercatorY(lat) * FLAT_Y;
}

function* pieces(n, take) {
  for (let from = 0; from < n; from += PIECE) {
    if (from) yield;
    take(from, Math.min(n, from + PIECE));
  }
}

// Where a state is after dt seconds: east and north [m] along a straight line, or along the turn that it's in.
export function ahead(ve, vn, turn, dt) {
  const a = turn * Math.min(dt, 15);
  if (Math.abs(a) < 1e-4) return [ve * dt, vn * dt];
  const s = Math.sin(a) / a, c = (1 - Math.cos(a)) / a, rest = Math.max(0, dt - 15), t = Math.min(dt, 15);
  const cos = Math.cos(a), sin = Math.sin(a);
  return [t * (ve * s - vn * c) + rest * (ve * cos - vn * sin), t * (vn * s + ve * c) + rest * (vn * cos + ve * sin)];
}
