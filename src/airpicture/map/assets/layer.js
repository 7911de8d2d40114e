// The layer of tracks: one buffer of instances that is filled when the picture changes, and drawn at any time from then on; what
// moves between is worked out by the graphics processor. So a frame costs the same few calls for ten tracks or a hundred thousand.

import { mercatorX, mercatorY } from "./camera.js";
import { TRAIL } from "./picture.js";
import * as shaders from "./shaders.js";
import { SHAPES, TURNS, sheet } from "./symbols.js";

const STRIDE = 56, DOT_STRIDE = 28;
const AHEAD_S = 30; // a state is carried on for so long and no longer
const TRAILS_MAX = 300_000; // dots
export const FLAGS = { coasting: 1, tentative: 2, doubtful: 4, alert: 8, selected: 16, hidden: 32 };

const LAYOUT = [[0, 3, 0], [1, 2, 12], [2, 2, 20], [3, 2, 28], [4, 3, 36]];
const DOT_LAYOUT = [[0, 3, 0], [1, 2, 12], [2, 1, 20]];

export class TrackLayer {
  constructor(picture, plots, camera, look) {
    Object.assign(this, { id: "tracks", type: "custom", renderingMode: "2d", picture, plots, camera, look });
    this.origin = [0.5, 0.5];
    this.epoch = 0; // ms UTC of time 0 in the buffers
    this.stale = true;
    this.count = this.dots = this.plotDots = 0;
    this.spent = { fill: 0, draw: 0 }; // ms of the last of each
    this.afterDraw = () => {};
  }

  onAdd(map, gl) {
    this.map = map;
    this.gl = gl;
    this.programs = {};
    for (const [name, { vertex, fragment }] of Object.entries(shaders)) this.programs[name] = program(gl, vertex, fragment);
    this.tracksBuffer = gl.createBuffer();
    this.dotsBuffer = gl.createBuffer();
    this.plotsBuffer = gl.createBuffer();
    this.tracksArray = array(gl, this.tracksBuffer, LAYOUT, STRIDE, [[5, 48], [6, 52]], 1);
    this.dotsArray = array(gl, this.dotsBuffer, DOT_LAYOUT, DOT_STRIDE, [[3, 24]], 0);
    this.plotsArray = array(gl, this.plotsBuffer, DOT_LAYOUT, DOT_STRIDE, [[3, 24]], 0);
    this.texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, sheet());
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_LINEAR);
    gl.generateMipmap(gl.TEXTURE_2D);
    this.stale = true;
  }

  // Fill the buffers anew before the next drawing.
  touch() { this.stale = true; }

  // Single precision holds while the error of a position stays well under a pixel.
  drifted() {
    const [x, y] = this.camera.origin;
    const away = Math.max(Math.abs(x - this.origin[0]), Math.abs(y - this.origin[1]));
    return away * 512 * 2 ** this.map.getZoom() * 6e-8 > 0.05;
  }

  fill() {
    const began = performance.now(), gl = this.gl;
    this.origin = this.camera.origin.slice();
    this.epoch = this.look.now();
    this.count = this.fillTracks(gl);
    this.dots = this.fillTrails(gl);
    this.plotDots = this.fillPlots(gl);
    this.stale = false;
    this.spent.fill = performance.now() - began;
  }

  room(name, bytes) {
    if (!this[name] || this[name].byteLength < bytes) this[name] = new ArrayBuffer(Math.ceil(bytes * 1.25 / 64) * 64);
    return this[name];
  }

  place(floats, at, lat, lon) {
    const c = Math.cos(lat);
    floats[at] = Math.sin(lon) * c;
    floats[at + 1] = Math.sin(lat);
    floats[at + 2] = Math.cos(lon) * c;
    const x = mercatorX(lon) - this.origin[0];
    floats[at + 3] = x - Math.round(x);
    floats[at + 4] = mercatorY(lat) - this.origin[1];
  }

  fillTracks(gl) {
    const p = this.picture, look = this.look;
    const raw = this.room("tracksRaw", p.n * STRIDE), floats = new Float32Array(raw), words = new Uint32Array(raw), bytes = new Uint8Array(raw);
    for (let slot = 0; slot < p.n; slot++) {
      const at = slot * 14;
      this.place(floats, at, p.lat[slot], p.lon[slot]);
      floats[at + 5] = p.ve[slot] || 0;
      floats[at + 6] = p.vn[slot] || 0;
      floats[at + 7] = (p.t[slot] - this.epoch) / 1000;
      floats[at + 8] = p.turn[slot];
      floats[at + 9] = p.major[slot];
      floats[at + 10] = p.minor[slot];
      floats[at + 11] = p.axis[slot];
      words[at + 12] = look.colour(slot);
      const b = slot * STRIDE + 52;
      bytes[b] = look.shape(slot);
      bytes[b + 1] = look.flags(slot);
      bytes[b + 2] = p.status[slot] === 0 ? 64 : 128;
    }
    upload(gl, this.tracksBuffer, raw, p.n * STRIDE);
    return p.n;
  }

  fillTrails(gl) {
    const p = this.picture, look = this.look, each = Math.min(look.trail(), Math.floor(TRAILS_MAX / Math.max(1, p.n)));
    if (each < 1) return 0;
    const raw = this.room("dotsRaw", p.n * each * DOT_STRIDE), floats = new Float32Array(raw), words = new Uint32Array(raw);
    let n = 0;
    for (let slot = 0; slot < p.n; slot++) {
      if (look.flags(slot) & FLAGS.hidden) continue;
      const colour = look.colour(slot), have = Math.min(each, p.trailN[slot]);
      for (let k = 1; k <= have; k++) {
        const from = slot * TRAIL + ((p.trailAt[slot] - k + TRAIL) % TRAIL), at = n * 7;
        this.place(floats, at, p.trailLat[from], p.trailLon[from]);
        floats[at + 5] = (p.trailT[from] - this.epoch) / 1000;
        words[at + 6] = colour;
        n++;
      }
    }
    upload(gl, this.dotsBuffer, raw, n * DOT_STRIDE);
    return n;
  }

  fillPlots(gl) {
    const look = this.look;
    if (!look.plots()) return 0;
    const raw = this.room("plotsRaw", this.plots.count * DOT_STRIDE), floats = new Float32Array(raw), words = new Uint32Array(raw);
    let n = 0;
    this.plots.each((lat, lon, sensor, t) => {
      const colour = look.plotColour(sensor);
      if (!colour) return;
      const at = n * 7;
      this.place(floats, at, lat, lon);
      floats[at + 5] = (t - this.epoch) / 1000;
      words[at + 6] = colour;
      n++;
    });
    upload(gl, this.plotsBuffer, raw, n * DOT_STRIDE);
    return n;
  }

  render(gl, args) {
    this.camera.take(args.defaultProjectionData, this.map);
    if (this.stale || this.drifted()) this.fill();
    const began = performance.now(), look = this.look, size = look.size();
    gl.disable(gl.DEPTH_TEST);
    gl.disable(gl.STENCIL_TEST);
    gl.disable(gl.CULL_FACE);
    gl.enable(gl.BLEND);
    gl.blendFuncSeparate(gl.ONE, gl.ONE_MINUS_SRC_ALPHA, gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    const flat = this.flat(), ratio = gl.drawingBufferWidth / this.camera.width;
    const use = (name) => {
      const { handle, at } = this.programs[name];
      gl.useProgram(handle);
      gl.uniformMatrix4fv(at("u_globe"), false, this.camera.globe);
      gl.uniformMatrix4fv(at("u_flat"), false, flat);
      gl.uniform4fv(at("u_plane"), this.camera.plane);
      gl.uniform1f(at("u_globeness"), this.camera.globeness);
      gl.uniform1f(at("u_now"), (look.now() - this.epoch) / 1000);
      gl.uniform1f(at("u_ahead"), AHEAD_S);
      gl.uniform1f(at("u_metres"), this.camera.metresPerPixel);
      gl.uniform2f(at("u_half"), this.camera.width / 2, this.camera.height / 2);
      gl.uniform1f(at("u_fade"), look.fade());
      gl.uniform1f(at("u_size"), size.symbol);
      return at;
    };
    const points = (vertices, count, diameter, life) => {
      if (!count) return;
      const at = use("dot");
      gl.uniform1f(at("u_size"), diameter);
      gl.uniform1f(at("u_life"), life);
      gl.uniform1f(at("u_ratio"), ratio);
      gl.bindVertexArray(vertices);
      gl.drawArrays(gl.POINTS, 0, count);
    };
    points(this.plotsArray, this.plotDots, size.plot, this.plots.life);
    points(this.dotsArray, this.dots, size.dot, 10 * (look.trail() + 1));
    gl.bindVertexArray(this.tracksArray);
    const tracks = () => gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, this.count);
    if (look.ellipses() !== "off") { gl.uniform1f(use("ellipse")("u_all"), look.ellipses() === "all" ? 1 : 0); tracks(); }
    if (look.vector()) { gl.uniform1f(use("vector")("u_vector"), look.vector()); tracks(); }
    let at = use("symbol");
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    gl.uniform1i(at("u_sheet"), 0);
    gl.uniform1i(at("u_turns"), [...TURNS].reduce((sum, k) => sum | (1 << k), 0));
    gl.uniform1f(at("u_plain"), size.plain ? 1 : 0);
    gl.uniform1f(at("u_cells"), SHAPES.length);
    gl.uniform3fv(at("u_halo"), look.theme().halo);
    tracks();
    at = use("ring");
    gl.uniform3fv(at("u_selected"), look.theme().selected);
    gl.uniform3fv(at("u_alert"), look.theme().alert);
    tracks();
    gl.bindVertexArray(null);
    this.spent.draw = performance.now() - began;
    this.afterDraw();
  }

  // The matrix of Mercator coordinates less the origin of the buffers, from that of the camera's own origin.
  flat() {
    const f = this.camera.flat, made = new Float32Array(f), [x, y] = this.origin, [cx, cy] = this.camera.origin;
    let dx = x - cx;
    dx -= Math.round(dx);
    for (let k = 0; k < 4; k++) made[12 + k] = f[k] * dx + f[4 + k] * (y - cy) + f[12 + k];
    return made;
  }
}

function program(gl, vertex, fragment) {
  const handle = gl.createProgram();
  for (const [type, source] of [[gl.VERTEX_SHADER, vertex], [gl.FRAGMENT_SHADER, fragment]]) {
    const shader = gl.createShader(type);
    gl.shaderSource(shader, source);
    gl.compileShader(shader);
    if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS) && !gl.isContextLost()) throw new Error(gl.getShaderInfoLog(shader));
    gl.attachShader(handle, shader);
  }
  gl.linkProgram(handle);
  const places = new Map();
  const at = (name) => { if (!places.has(name)) places.set(name, gl.getUniformLocation(handle, name)); return places.get(name); };
  return { handle, at };
}

function array(gl, buffer, floats, stride, bytes, divisor) {
  const made = gl.createVertexArray();
  gl.bindVertexArray(made);
  gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
  for (const [at, size, offset] of floats) { gl.enableVertexAttribArray(at); gl.vertexAttribPointer(at, size, gl.FLOAT, false, stride, offset); gl.vertexAttribDivisor(at, divisor); }
  for (const [at, offset] of bytes) { gl.enableVertexAttribArray(at); gl.vertexAttribPointer(at, 4, gl.UNSIGNED_BYTE, true, stride, offset); gl.vertexAttribDivisor(at, divisor); }
  gl.bindVertexArray(null);
  return made;
}

function upload(gl, buffer, raw, bytes) {
  gl.bindBuffer(gl.ARRAY_BUFFER, buffer);
  gl.bufferData(gl.ARRAY_BUFFER, new Uint8Array(raw, 0, bytes), gl.DYNAMIC_DRAW);
  gl.bindBuffer(gl.ARRAY_BUFFER, null);
}
