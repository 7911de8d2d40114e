// The layer of tracks: a buffer of rows, one for each track, drawn at any time; what moves between is worked out by the graphics
// processor. Rows depend on nothing but the track (not on the view, the time, or the origin), so only those that changed are filled,
// a bounded number of them in a frame, and a frame costs the same few calls for ten tracks or a hundred thousand.

import { AHEAD_S } from "./camera.js";
import { TRAIL, place } from "./picture.js";
import { Rows } from "./rows.js";
import * as shaders from "./shaders.js";
import { SHAPES, TURNS, sheet } from "./symbols.js";

const STRIDE = 56, DOT_STRIDE = 28, WORDS = STRIDE / 4, DOT_WORDS = DOT_STRIDE / 4;
const TRAILS_MAX = 200_000; // dots: those of more tracks would be a carpet
export const ROWS_MAX = 20_000, DOTS_MAX = 20_000; // filled in one frame, some 4 ms each; the rest in the next
const BLOCK = 64, RANGES_MAX = 32; // rows that are sent together, and pieces from which all is sent
export const FLAGS = { coasting: 1, tentative: 2, doubtful: 4, alert: 8, selected: 16, hidden: 32, predicted: 64 };
const RINGED = FLAGS.coasting | FLAGS.alert | FLAGS.selected | FLAGS.predicted;

const LAYOUT = [[0, 3, 0], [1, -2, 12], [2, 2, 20], [3, -1, 28], [7, 1, 32], [4, 3, 36]]; // place, number of floats or (negative) whole numbers, offset
const DOT_LAYOUT = [[0, 3, 0], [1, -2, 12], [2, -1, 20]];

export class TrackLayer {
  constructor(picture, plots, camera, look) {
    Object.assign(this, { id: "tracks", type: "custom", renderingMode: "2d", picture, plots, camera, look });
    this.tracks = new Buffer(STRIDE);
    this.ringed = new Buffer(STRIDE); // copies of the rows of those that have a ring, an alert, or are selected
    this.trails = new Buffer(DOT_STRIDE);
    this.plotBuffer = new Buffer(DOT_STRIDE);
    this.rows = new Rows(); // to be filled
    this.dotted = picture.trailed;
    this.width = 0; // dots of a track in the buffer of trails
    this.all = true;
    this.count = this.rings = this.plotsBegin = this.plotsFilled = 0;
    this.spent = { fill: 0, draw: 0 }; // ms, ever
    this.filled = 0; // rows and dots in the last frame
    this.afterDraw = () => {};
  }

  onAdd(map, gl) {
    this.map = map;
    this.gl = gl;
    this.programs = {};
    for (const [name, { vertex, fragment }] of Object.entries(shaders)) this.programs[name] = program(gl, vertex, fragment);
    for (const buffer of [this.tracks, this.ringed]) buffer.open(gl, LAYOUT, [[5, 48], [6, 52]], 1);
    for (const buffer of [this.trails, this.plotBuffer]) buffer.open(gl, DOT_LAYOUT, [[3, 24]], 0);
    this.texture = gl.createTexture();
    gl.bindTexture(gl.TEXTURE_2D, this.texture);
    gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, false);
    gl.pixelStorei(gl.UNPACK_PREMULTIPLY_ALPHA_WEBGL, false);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, sheet());
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.LINEAR_MIPMAP_LINEAR);
    gl.generateMipmap(gl.TEXTURE_2D);
    this.touch();
  }

  // Fill all rows anew: they look otherwise, or the buffers are new.
  touch() { this.all = true; }

  // Rows that look otherwise.
  change(slot) { this.rows.add(slot); }

  get more() { return this.all || this.rows.count > 0 || (this.width > 0 && this.dotted.count > 0); } // is left for the next frame

  fill() {
    const began = performance.now(), p = this.picture, look = this.look;
    if (this.all) { this.rows.all(p.n); this.dotted.all(p.n); this.plotsFilled = 0; this.all = false; }
    this.filled = 0;
    this.fillTracks(p, look);
    this.fillTrails(p, look);
    this.fillPlots(look);
    this.spent.fill += performance.now() - began;
  }

  fillTracks(p, look) {
    if (!this.rows.count && this.count === p.n) return;
    const { floats, wholes, words, bytes } = this.tracks.room(p.n);
    this.filled += this.rows.take(ROWS_MAX, p.n, (slot) => {
      const at = slot * WORDS, b = slot * STRIDE + 52;
      floats[at] = p.sphere[3 * slot];
      floats[at + 1] = p.sphere[3 * slot + 1];
      floats[at + 2] = p.sphere[3 * slot + 2];
      wholes[at + 3] = p.flat[2 * slot];
      wholes[at + 4] = p.flat[2 * slot + 1];
      floats[at + 5] = p.ve[slot] || 0;
      floats[at + 6] = p.vn[slot] || 0;
      wholes[at + 7] = p.t[slot]; // ms, going round every 49 days
      floats[at + 8] = p.turn[slot];
      floats[at + 9] = p.major[slot];
      floats[at + 10] = p.minor[slot];
      floats[at + 11] = p.axis[slot];
      words[at + 12] = look.colour(slot);
      bytes[b] = look.shape(slot);
      bytes[b + 1] = look.flags(slot);
      bytes[b + 2] = p.status[slot] === 0 ? 64 : 128;
      this.tracks.touch(slot);
    });
    this.count = p.n;
    this.tracks.send(p.n);
    this.fillRings(p.n, bytes, words);
  }

  // Few tracks have rings: they get a buffer of their own, so that drawing those costs nothing for all others.
  fillRings(n, bytes, words) {
    let rings = 0;
    for (let slot = 0; slot < n; slot++) if (bytes[slot * STRIDE + 53] & RINGED) rings++;
    const to = this.ringed.room(rings).words;
    let at = 0;
    for (let slot = 0; slot < n; slot++) if (bytes[slot * STRIDE + 53] & RINGED) { to.set(words.subarray(slot * WORDS, (slot + 1) * WORDS), at); at += WORDS; }
    this.rings = rings;
    this.ringed.sendAll(rings);
  }

  // Dots where tracks were: as many for each as are wanted, those that aren't there far in the past.
  fillTrails(p, look) {
    const width = look.size().plain || look.trail() * p.n > TRAILS_MAX ? 0 : look.trail();
    if (width !== this.width) { this.dotted.all(p.n); this.width = width; }
    if (!width) return;
    const { floats, wholes, words } = this.trails.room(p.n * width), long = DOT_WORDS * width;
    this.filled += this.dotted.take(Math.ceil(DOTS_MAX / width), p.n, (slot) => {
      const colour = look.colour(slot), known = p.hidden[slot] ? 0 : Math.min(width, p.trailN[slot]);
      for (let k = 0, at = slot * long; k < width; k++, at += DOT_WORDS) {
        const from = slot * TRAIL + ((p.trailAt[slot] - 1 - k + 2 * TRAIL) % TRAIL);
        if (k < known) place(p.trailLat[from], p.trailLon[from], floats, at, wholes, at + 3);
        wholes[at + 5] = k < known ? p.trailT[from] : 0;
        words[at + 6] = k < known ? colour : 0;
      }
      for (let k = 0; k < width; k++) this.trails.touch(slot * width + k);
    }) * width;
    this.trails.send(p.n * width);
  }

  // Plots lie in a ring, the oldest overwritten; only new ones are filled.
  fillPlots(look) {
    const plots = this.plots, room = plots.kept, { floats, wholes, words } = this.plotBuffer.room(room);
    if (plots.total < this.plotsFilled) this.plotsFilled = 0; // they were cleared
    const begin = Math.max(this.plotsFilled, plots.total - room, 0);
    plots.each(begin, (at, lat, lon, sensor, t) => {
      const word = at * DOT_WORDS;
      place(lat, lon, floats, word, wholes, word + 3);
      wholes[word + 5] = t;
      words[word + 6] = look.plotColour(sensor);
      this.plotBuffer.touch(at);
    });
    this.filled += plots.total - begin;
    this.plotsFilled = plots.total;
    this.plotBuffer.send(Math.min(room, plots.total));
  }

  get dots() { return this.width * this.count; }
  get plotDots() { return this.look.plots() ? this.plots.living(this.look.now(), this.look.offPlots) : 0; }

  render(gl, args) {
    this.camera.take(args.defaultProjectionData, this.map);
    this.fill();
    const began = performance.now(), look = this.look, size = look.size();
    gl.disable(gl.DEPTH_TEST);
    gl.disable(gl.STENCIL_TEST);
    gl.disable(gl.CULL_FACE);
    gl.enable(gl.BLEND);
    gl.blendFuncSeparate(gl.ONE, gl.ONE_MINUS_SRC_ALPHA, gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    const ratio = gl.drawingBufferWidth / this.camera.width;
    const use = (name) => {
      const { handle, at } = this.programs[name];
      gl.useProgram(handle);
      gl.uniformMatrix4fv(at("u_globe"), false, this.camera.globe);
      gl.uniformMatrix4fv(at("u_flat"), false, this.camera.flat);
      gl.uniform2iv(at("u_origin"), this.camera.step);
      gl.uniform4fv(at("u_plane"), this.camera.plane);
      gl.uniform1f(at("u_globeness"), this.camera.globeness);
      gl.uniform1i(at("u_now"), look.now() % 2 ** 32 | 0);
      gl.uniform1f(at("u_ahead"), AHEAD_S);
      gl.uniform1f(at("u_metres"), this.camera.metresPerPixel);
      gl.uniform2f(at("u_half"), this.camera.width / 2, this.camera.height / 2);
      gl.uniform1f(at("u_fade"), look.fade());
      gl.uniform1f(at("u_size"), size.symbol);
      return at;
    };
    const points = (buffer, from, count, diameter, life, cross) => {
      if (count <= 0) return;
      const at = use("dot");
      gl.uniform1f(at("u_size"), diameter);
      gl.uniform1f(at("u_life"), life);
      gl.uniform1f(at("u_ratio"), ratio);
      gl.uniform1f(at("u_cross"), cross);
      gl.bindVertexArray(buffer.array);
      gl.drawArrays(gl.POINTS, from, count);
    };
    if (look.plots()) for (const [from, count] of this.plots.pieces(look.now())) points(this.plotBuffer, from, count, size.plot * 1.5, this.plots.life, 1);
    points(this.trails, 0, this.dots, size.dot, 10 * (look.trail() + 1), 0);
    const tracks = () => { gl.bindVertexArray(this.tracks.array); gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, this.count); };
    const ringed = () => { if (!this.rings) return; gl.bindVertexArray(this.ringed.array); gl.drawArraysInstanced(gl.TRIANGLE_STRIP, 0, 4, this.rings); };
    if (look.ellipses() !== "off") { const every = look.ellipses() === "all"; gl.uniform1f(use("ellipse")("u_all"), every ? 1 : 0); if (every) tracks(); else ringed(); }
    if (look.vector()) { gl.uniform1f(use("vector")("u_vector"), look.vector()); if (size.plain) ringed(); else tracks(); }
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
    gl.uniform3fv(at("u_predicted"), look.theme().predicted);
    ringed();
    gl.bindVertexArray(null);
    this.spent.draw += performance.now() - began;
    this.afterDraw();
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

// Rows in memory and on the graphics processor, and which of them differ.
class Buffer {
  constructor(stride) {
    this.stride = stride;
    this.held = 0; // rows that the processor's buffer has room for
    this.sent = 0; // bytes, ever
    this.reserve(64);
  }

  open(gl, numbers, colours, divisor) {
    this.gl = gl;
    this.buffer = gl.createBuffer();
    this.array = gl.createVertexArray();
    gl.bindVertexArray(this.array);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer);
    for (const [at, size, offset] of numbers) {
      gl.enableVertexAttribArray(at);
      if (size < 0) gl.vertexAttribIPointer(at, -size, gl.INT, this.stride, offset); else gl.vertexAttribPointer(at, size, gl.FLOAT, false, this.stride, offset);
      gl.vertexAttribDivisor(at, divisor);
    }
    for (const [at, offset] of colours) { gl.enableVertexAttribArray(at); gl.vertexAttribPointer(at, 4, gl.UNSIGNED_BYTE, true, this.stride, offset); gl.vertexAttribDivisor(at, divisor); }
    gl.bindVertexArray(null);
    this.held = 0;
  }

  reserve(rows) {
    const before = this.bytes;
    this.bytes = new Uint8Array(rows * this.stride);
    if (before) this.bytes.set(before);
    this.floats = new Float32Array(this.bytes.buffer);
    this.wholes = new Int32Array(this.bytes.buffer);
    this.words = new Uint32Array(this.bytes.buffer);
    this.touched = new Uint8Array(Math.ceil(rows / BLOCK));
    this.rows = rows;
  }

  // Room for so many rows; those that were there stay.
  room(rows) {
    if (rows > this.rows) this.reserve(Math.ceil(rows * 1.5));
    return this;
  }

  touch(row) { this.touched[(row / BLOCK) | 0] = 1; }

  // Send blocks of rows that were touched, neighbours together.
  send(rows) {
    const blocks = Math.ceil(rows / BLOCK), ranges = [];
    if (this.held < rows) return this.sendAll(rows);
    for (let k = 0; k < blocks; k++) {
      if (!this.touched[k]) continue;
      const last = ranges[ranges.length - 1];
      if (last && k - last[1] < 4) last[1] = k + 1; else ranges.push([k, k + 1]);
    }
    if (!ranges.length) return;
    if (ranges.length > RANGES_MAX) return this.sendAll(rows);
    this.touched.fill(0);
    const gl = this.gl, most = Math.min(rows, this.held);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer);
    for (const [from, to] of ranges) this.put(from * BLOCK, Math.min(most, to * BLOCK));
    gl.bindBuffer(gl.ARRAY_BUFFER, null);
  }

  sendAll(rows) {
    const gl = this.gl;
    this.touched.fill(0);
    if (!rows) return;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer);
    if (this.held < rows) { gl.bufferData(gl.ARRAY_BUFFER, this.rows * this.stride, gl.DYNAMIC_DRAW); this.held = this.rows; }
    this.put(0, rows);
    gl.bindBuffer(gl.ARRAY_BUFFER, null);
  }

  put(from, to) {
    this.gl.bufferSubData(this.gl.ARRAY_BUFFER, from * this.stride, this.bytes, from * this.stride, (to - from) * this.stride);
    this.sent += (to - from) * this.stride;
  }
}
