// The programs of the layer of tracks. All of them place things the same way: a position on the unit sphere for the globe, one
// in whole steps of Mercator's square, less an origin near the view, both moved on by what the track has flown since its state, and mixed between.

const PLACE = `#version 300 es
precision highp float;
uniform mat4 u_globe, u_flat;
uniform vec4 u_plane;
uniform float u_globeness, u_ahead, u_metres; // s, metres in a pixel
uniform int u_now; // ms, going round, as do steps of the square: differences are right all the same
uniform ivec2 u_origin;
uniform vec2 u_half; // half the screen in pixels
const float EARTH = 6371008.8, TURN_S = 15.0;

// East and north [m] after dt along a line, or along the turn that the track is in; as in picture.js.
vec2 flown(vec2 v, float turn, float dt) {
  float t = min(dt, TURN_S), a = turn * t;
  if (abs(a) < 1e-4) return v * dt;
  float s = sin(a) / a, c = (1.0 - cos(a)) / a, rest = max(0.0, dt - TURN_S);
  vec2 left = vec2(-v.y, v.x);
  return t * (v * s + left * c) + rest * (v * cos(a) + left * sin(a));
}

float since(int t) { return float(u_now - t) * 0.001; }

vec4 place(vec3 p, ivec2 steps, vec2 d) {
  vec2 m = vec2(steps - u_origin) * vec2(1.0 / 4294967296.0, 1.0 / 2147483648.0);
  vec3 east = normalize(vec3(p.z, 0.0, -p.x)), north = cross(p, east);
  vec3 q = normalize(p + (east * d.x + north * d.y) / EARTH);
  vec4 flat_ = u_flat * vec4(m + vec2(d.x, -d.y) / (6.28318530718 * EARTH * sqrt(max(1e-6, 1.0 - p.y * p.y))), 0.0, 1.0);
  if (u_globeness > 0.5 && dot(u_plane.xyz, q) + u_plane.w < 0.0) return vec4(9.0, 9.0, 9.0, 1.0);
  vec4 made = u_globeness > 0.0 ? mix(flat_, u_globe * vec4(q, 1.0), u_globeness) : flat_;
  return vec4(made.xy, 0.0, made.w);
}
`;

const TRACK = `
layout(location = 0) in vec3 a_sphere;
layout(location = 1) in ivec2 a_flat;
layout(location = 2) in vec2 a_v;
layout(location = 3) in int a_t; // ms, time of the state
layout(location = 7) in float a_turn;
layout(location = 4) in vec3 a_ellipse; // half axes of one sigma [m], direction of the longer one
layout(location = 5) in vec4 a_colour;
layout(location = 6) in vec4 a_style; // shape, flags, size, brightness
int flags() { return a_colour.a > 0.0 ? int(a_style.y * 255.0 + 0.5) : 32; } // one that isn't filled yet is hidden
vec2 now() { return flown(a_v, a_turn, clamp(since(a_t), 0.0, u_ahead)); }
vec2 corner() { return vec2(gl_VertexID & 1, gl_VertexID >> 1) * 2.0 - 1.0; }
const vec4 OUT = vec4(9.0, 9.0, 9.0, 1.0);
`;

export const symbol = {
  vertex: PLACE + TRACK + `
uniform float u_size, u_plain, u_cells;
uniform int u_turns;
out vec2 v_at;
flat out vec4 v_colour;
flat out int v_flags;
flat out float v_plain;
void main() {
  int f = flags();
  v_flags = f;
  v_colour = a_colour;
  int shape = int(a_style.x * 255.0 + 0.5);
  vec2 d = now();
  vec4 here = place(a_sphere, a_flat, d);
  v_plain = u_plain;
  vec2 c = corner();
  if ((f & 32) != 0 || here.w <= 0.0) { gl_Position = OUT; return; }
  float size = u_size * (0.5 + a_style.z);
  if ((f & 16) != 0) { v_plain = 0.0; size = max(size, 11.0); }
  vec2 turned = c;
  if (v_plain < 0.5 && ((u_turns >> shape) & 1) == 1) {
    float speed = length(a_v);
    vec4 there = place(a_sphere, a_flat, d + a_v / max(speed, 0.1) * u_metres * 8.0);
    vec2 dir = normalize((there.xy / there.w - here.xy / here.w) * u_half + vec2(0.0, 1e-9));
    turned = vec2(c.x * dir.y + c.y * dir.x, c.y * dir.y - c.x * dir.x);
  }
  gl_Position = vec4(here.xy / here.w + turned * size / u_half, 0.0, 1.0);
  v_at = v_plain > 0.5 ? c : vec2((float(shape) + 0.5 + 0.5 * c.x) / u_cells, 0.5 - 0.5 * c.y);
}`,
  fragment: `#version 300 es
precision mediump float;
uniform sampler2D u_sheet;
uniform vec3 u_halo;
uniform float u_fade;
in vec2 v_at;
flat in vec4 v_colour;
flat in int v_flags;
flat in float v_plain;
out vec4 colour;
void main() {
  if (v_plain > 0.5) { // a dot, where symbols would cover one another
    float r = length(v_at);
    float a = (1.0 - smoothstep(0.5, 0.85, r)) * v_colour.a * u_fade;
    colour = vec4(v_colour.rgb * a, a);
    return;
  }
  vec2 s = texture(u_sheet, v_at).rg;
  bool hollow = (v_flags & 3) != 0;
  vec3 edge = hollow ? v_colour.rgb : u_halo;
  float fill = s.r * (hollow ? 0.25 : 1.0) * (1.0 - s.g), line = s.g * (hollow ? 1.0 : 0.85);
  float a = min(1.0, fill + line) * v_colour.a * u_fade;
  if (a < 0.01) discard;
  vec3 mixed = hollow ? v_colour.rgb : mix(edge, v_colour.rgb, s.r * (1.0 - 0.75 * s.g));
  colour = vec4(mixed * a, a);
}`,
};

// Rings about symbols: selected; in an alert, two where it is and a dashed one where it's expected; coasting, thin and broken.
export const ring = {
  vertex: PLACE + TRACK + `
uniform float u_size;
uniform vec3 u_selected, u_alert, u_predicted;
out vec2 v_at;
flat out vec4 v_colour;
flat out vec2 v_ring; // radius and width in pixels
flat out int v_kind; // 0 whole, 1 broken, 2 dashed, 3 double
void main() {
  int f = flags();
  if ((f & 32) != 0 || (f & 89) == 0) { gl_Position = OUT; return; }
  bool selected = (f & 16) != 0, alert = (f & 72) != 0;
  if (!selected && !alert && u_size < 5.0) { gl_Position = OUT; return; }
  vec4 here = place(a_sphere, a_flat, now());
  float r = selected || alert ? max(u_size, 7.0) + (selected ? 7.0 : 3.5) : u_size * 0.85 + 2.5;
  v_ring = vec2(r, selected || alert ? 2.0 : 1.2);
  v_kind = (f & 8) != 0 ? 3 : (f & 64) != 0 ? 2 : selected ? 0 : 1;
  v_colour = vec4((f & 8) != 0 ? u_alert : (f & 64) != 0 ? u_predicted : selected ? u_selected : a_colour.rgb, 1.0);
  v_at = corner() * (r + 7.0);
  gl_Position = vec4(here.xy / here.w + v_at / u_half, 0.0, 1.0);
}`,
  fragment: `#version 300 es
precision mediump float;
uniform float u_fade;
in vec2 v_at;
flat in vec4 v_colour;
flat in vec2 v_ring;
flat in int v_kind;
out vec4 colour;
void main() {
  float d = abs(length(v_at) - v_ring.x);
  if (v_kind == 3) d = min(d, abs(length(v_at) - v_ring.x - 4.0));
  float a = (1.0 - smoothstep(0.5 * v_ring.y, 0.5 * v_ring.y + 1.0, d)) * u_fade;
  float turn = atan(v_at.y, v_at.x) * 0.1591549;
  if (v_kind == 1 && fract(turn * 12.0 + 0.25) > 0.55) a = 0.0;
  if (v_kind == 2 && fract(turn * 8.0 + 0.25) > 0.6) a = 0.0;
  if (a < 0.01) discard;
  colour = vec4(v_colour.rgb * a, a);
}`,
};

// Where a track will be after so many seconds if nothing changes.
export const vector = {
  vertex: PLACE + TRACK + `
uniform float u_vector; // s
flat out vec4 v_colour;
out float v_side;
void main() {
  int f = flags();
  vec2 d = now();
  vec4 a = place(a_sphere, a_flat, d), b = place(a_sphere, a_flat, d + a_v * u_vector);
  if ((f & 34) != 0 || a.x > 8.0 || b.x > 8.0 || a.w <= 0.0 || b.w <= 0.0) { gl_Position = OUT; return; }
  vec2 p = a.xy / a.w, q = b.xy / b.w, along = (q - p) * u_half;
  float length_ = length(along);
  if (length_ < 3.0) { gl_Position = OUT; return; }
  vec2 c = corner(), side = vec2(-along.y, along.x) / length_;
  v_side = c.x * 1.6;
  v_colour = a_colour;
  gl_Position = vec4(mix(p, q, 0.5 + 0.5 * c.y) + side * v_side / u_half, 0.0, 1.0);
}`,
  fragment: `#version 300 es
precision mediump float;
uniform float u_fade;
flat in vec4 v_colour;
in float v_side;
out vec4 colour;
void main() {
  float a = (1.0 - smoothstep(0.5, 1.3, abs(v_side))) * 0.8 * v_colour.a * u_fade;
  colour = vec4(v_colour.rgb * a, a);
}`,
};

// The ellipse in which a track's position lies with 95 %.
export const ellipse = {
  vertex: PLACE + TRACK + `
uniform float u_all; // 1 all tracks, 0 the selected one
out vec2 v_at;
flat out vec2 v_half;
flat out vec4 v_colour;
void main() {
  int f = flags();
  vec2 half_ = a_ellipse.xy * 2.4477 / u_metres; // 95 % of a two-dimensional normal law lie within 2.4477 sigma
  bool wanted = u_all > 0.5 || (f & 16) != 0;
  if ((f & 32) != 0 || !wanted || !(half_.x > 2.5) || half_.x > 8000.0) { gl_Position = OUT; return; }
  half_ = max(half_, vec2(0.7));
  v_half = half_;
  v_at = corner() * (half_ + 2.0);
  float c = cos(a_ellipse.z), s = sin(a_ellipse.z);
  vec2 m = vec2(v_at.x * c - v_at.y * s, v_at.x * s + v_at.y * c) * u_metres;
  v_colour = a_colour;
  vec4 at = place(a_sphere, a_flat, now() + m);
  gl_Position = at;
}`,
  fragment: `#version 300 es
precision highp float;
uniform float u_fade;
in vec2 v_at;
flat in vec2 v_half;
flat in vec4 v_colour;
out vec4 colour;
void main() {
  vec2 n = v_at / v_half;
  float r = length(n), slope = length(vec2(n.x / v_half.x, n.y / v_half.y)) / max(r, 1e-4);
  float d = (r - 1.0) / max(slope, 1e-6); // pixels from the rim
  float rim = 1.0 - smoothstep(0.5, 1.5, abs(d)), inside = 1.0 - smoothstep(0.0, 1.0, d);
  float a = max(rim * 0.9, inside * 0.12) * v_colour.a * u_fade;
  if (a < 0.01) discard;
  colour = vec4(v_colour.rgb * a, a);
}`,
};

// Dots where tracks were, crosses where sensors reported.
export const dot = {
  vertex: PLACE + `
layout(location = 0) in vec3 a_sphere;
layout(location = 1) in ivec2 a_flat;
layout(location = 2) in int a_t;
layout(location = 3) in vec4 a_colour;
uniform float u_size, u_life, u_ratio;
out float v_age;
flat out vec4 v_colour;
void main() {
  v_age = since(a_t) / u_life;
  v_colour = a_colour;
  gl_Position = v_age > 1.0 || v_age < -0.05 || a_colour.a == 0.0 ? vec4(9.0, 9.0, 9.0, 1.0) : place(a_sphere, a_flat, vec2(0.0));
  gl_PointSize = u_size * u_ratio;
}`,
  fragment: `#version 300 es
precision mediump float;
uniform float u_fade, u_cross; // 1 a cross, 0 a disc
in float v_age;
flat in vec4 v_colour;
out vec4 colour;
void main() {
  vec2 p = abs(gl_PointCoord * 2.0 - 1.0);
  float r = u_cross > 0.5 ? 2.2 * min(p.x, p.y) : length(p);
  float a = (1.0 - smoothstep(0.55, 1.0, r)) * v_colour.a * (1.0 - 0.85 * clamp(v_age, 0.0, 1.0)) * u_fade;
  if (a < 0.01) discard;
  colour = vec4(v_colour.rgb * a, a);
}`,
};
