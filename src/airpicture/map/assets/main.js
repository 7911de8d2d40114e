// The page: makes its parts and lets them know of one another.

import { Map as MapLibre, setWorkerUrl } from "./vendor/maplibre-gl.mjs";
import { Basemap } from "./basemap.js";
import { AHEAD_S, Camera, RAD, moved } from "./camera.js";
import { Clock } from "./clock.js";
import { $, el, say, sorry, toast } from "./dom.js";
import { extent } from "./extent.js";
import { Feed } from "./feed.js";
import { Find } from "./find.js";
import { listen } from "./keys.js";
import { Labels } from "./labels.js";
import { TrackLayer } from "./layer.js";
import { Link } from "./link.js";
import { Look } from "./look.js";
import { Measure } from "./measure.js";
import { DEFAULTS, Options, readHash, writeHash } from "./options.js";
import { overlay } from "./overlay.js";
import { Panels } from "./panels.js";
import { Past } from "./past.js";
import { Picture, ahead } from "./picture.js";
import { Plots } from "./plots.js";
import { shoot } from "./shot.js";
import { Status } from "./status.js";
import { Story } from "./story.js";
import { Tip } from "./tip.js";
import { Timeline } from "./timeline.js";
import { Units } from "./units.js";
import { KIND, decode } from "./wire.js";
import { Work } from "./work.js";

const BASE = new URL("./", import.meta.url).href;
const PIECE = 2000; // tracks that are looked at without a break
const FRAMES_WAITING = 4; // more than that, and it's better to begin with a whole picture again
const FADE_MS = 250; // of names; with none MapLibre finds places for them anew in every frame
const STILL_MS = 500; // between paintings where nothing moves visibly
const POINT = 0.01; // degrees: less is a place, not an extent
const STEP_PIXELS = 0.25; // what may move between two paintings

export class App {
  constructor(about) {
    Object.assign(this, { about, stations: [], inputs: [], health: [], alerts: [], counts: {}, course: null, following: false, painted: 0, number: -1, shown: -1, fastest: 0, named: new Map() });
    this.options = new Options();
    this.opened = readHash();
    this.options.take(this.opened);
    this.units = new Units();
    this.units.system = this.options.get("units");
    this.clock = new Clock();
    this.picture = new Picture();
    this.work = new Work();
    this.plots = new Plots();
    this.camera = new Camera();
    this.look = new Look(this.picture, this.options, this.clock, this.camera);
    this.labels = new Labels($("labels"), this.picture, this.camera, this.look, this.options, this.units);
    const covers = ["bar", "places", "past", "story", "panel", "feed", "line", "banner"].map($);
    this.labels.covers = () => covers.filter((one) => !one.hidden);
    this.layer = new TrackLayer(this.picture, this.plots, this.camera, this.look);
    this.layer.afterDraw = () => this.labels.draw(this.clock.now(), (c) => overlay(c, this), (c) => this.measure.draw(c));
    this.story = new Story(this.units, this.look, { past: () => this.timeline.past, close: () => this.select(-1), follow: () => this.follow(), center: () => this.center(), copy: (text) => this.copy(text, "Copied") });
    this.makeMap();
    this.link = new Link(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`, this.clock, () => this.bounds().map((v) => v.toFixed(4)));
    this.timeline = new Timeline(this.link, this.clock, about.history);
    this.feed = new Feed();
    this.panels = new Panels(this);
    this.find = new Find(this);
    this.tip = new Tip(this);
    this.measure = new Measure(this);
    this.past = new Past(this);
    this.status = new Status(this);
    this.toast = toast;
    this.hear();
    listen(this);
    this.head();
    const loop = () => { requestAnimationFrame(loop); this.pace(); };
    loop();
  }

  head() {
    const { title, note, places } = this.about;
    document.title = title;
    document.documentElement.dataset.theme = this.look.themeName();
    $("title").textContent = title;
    $("note").textContent = note;
    $("places").append(...places.map((place) => el("button", { type: "button", on: { click: () => this.go(place.lat, place.lon, place.zoom) } }, place.name)));
    for (const name of ["shot", "share", "theme"]) document.querySelector(`[data-do=${name}]`).addEventListener("click", () => this[name]());
    document.querySelector("[data-do=measure]").addEventListener("click", () => this.measure.toggle());
  }

  makeMap() {
    setWorkerUrl(`${BASE}vendor/maplibre-gl-worker.mjs`);
    const place = this.about.places[0], c = (this.opened.c || "").split(",").map(Number), zoom = Number(this.opened.z);
    const given = c.length === 2 && c.every(Number.isFinite) && Math.abs(c[0]) <= 90 && Number.isFinite(zoom);
    this.placed = given || Boolean(place);
    this.map = new MapLibre({
      container: "map", style: this.style(), center: given ? [c[1], c[0]] : place ? [place.lon, place.lat] : [10, 30], zoom: given ? zoom : place ? place.zoom : 1.6,
      maxZoom: 18, maxPitch: 0, dragRotate: false, pitchWithRotate: false, attributionControl: this.about.tiles_note ? { compact: true } : false, maplibreLogo: false, fadeDuration: FADE_MS, refreshExpiredTiles: false,
    });
    const map = this.map;
    map.touchZoomRotate.disableRotation();
    map.keyboard.disableRotation();
    this.basemap = new Basemap(map, BASE, this.options, this.look, this.about, this.units);
    this.labels.names = () => this.basemap.boxes(this.camera);
    map.on("style.load", () => { map.addLayer(this.layer); this.basemap.put(); this.ready = true; });
    map.on("load", () => { this.basemap.load().then(() => { this.loaded = true; }); });
    map.on("moveend", () => { const b = this.bounds(); this.link.say("view", b, true); this.remember(); });
    map.on("dragstart", () => { this.follow(false); this.tip.show(-1); });
    map.on("mousemove", ({ point, lngLat }) => {
      this.status.cursor(lngLat);
      if (this.measure.on && this.measure.ends.length === 1) { this.measure.move(lngLat.lat * RAD, lngLat.lng * RAD); this.wake(); }
      const over = this.labels.pick(point.x, point.y);
      document.body.classList.toggle("pointing", !this.measure.on && over >= 0);
      this.tip.show(over, point.x, point.y);
    });
    map.on("click", ({ point, lngLat, originalEvent }) => {
      const track = this.labels.pick(point.x, point.y, originalEvent.pointerType === "touch" ? 30 : 18);
      if (this.measure.on) this.measure.click(lngLat.lat * RAD, lngLat.lng * RAD, track);
      else this.select(track);
    });
  }

  style() {
    return { ...Basemap.style(this.look.theme(), this.about), projection: { type: this.options.get("projection") === "mercator" ? "mercator" : "globe" } };
  }

  hear() {
    this.link.addEventListener("frame", ({ detail }) => this.take(decode(detail)));
    this.link.addEventListener("word", ({ detail }) => { if (detail.story) this.tell(detail.story); if (detail.line) this.recall(); if (detail.note) toast(detail.note); });
    this.link.addEventListener("down", () => { this.number = -1; this.work.clear(); });
    this.options.addEventListener("change", ({ detail }) => this.chosen(detail));
    matchMedia("(prefers-color-scheme: light)").addEventListener("change", () => this.chosen("theme"));
    window.addEventListener("hashchange", () => { const told = readHash(); if (told.track) this.select(Number(told.track)); });
  }

  // Take a frame of the picture: at once where it's small, in pieces where the page would stand still for it.
  take(frame) {
    // Something is missing, or frames come faster than they can be taken: begin with a whole picture.
    if ((frame.kind === KIND.delta && frame.base !== this.number) || this.work.length >= FRAMES_WAITING) return this.link.socket.close();
    this.number = frame.number;
    this.clock.take(frame);
    this.work.add(this.taking(frame));
  }

  *taking(frame) {
    const { look, layer, picture } = this;
    if (frame.forget) this.plots.clear();
    for (const _ of picture.apply(frame)) yield;
    if (frame.plots) this.plots.take(frame.plots, frame.now);
    if (frame.facts) this.facts(frame.facts);
    const settle = (slot) => {
      picture.alert[slot] = this.named.get(picture.id[slot]) || 0;
      if (look.choose(slot)) picture.trailed.add(slot);
      layer.change(slot);
    };
    while (picture.changed.count) { picture.changed.take(PIECE, picture.n, settle); if (picture.changed.count) yield; }
    this.fastest = 0;
    for (let slot = 0; slot < picture.n; slot++) {
      const speed = Math.abs(picture.ve[slot]) + Math.abs(picture.vn[slot]);
      if (speed > this.fastest) this.fastest = speed;
    }
    if (this.options.get("colour") === "age") layer.touch();
    this.taken();
  }

  // Go to the time that the address names, once there's a time line.
  recall() {
    if (!this.opened.t || !(this.about.replay || this.timeline.shown) || !this.clock.frame) return;
    this.timeline.seek(Number(this.opened.t));
    delete this.opened.t;
  }

  // A frame is in the picture.
  taken() {
    this.labels.touch();
    this.wake();
    if (!this.placed) this.home(false);
    if (this.opened.track && this.picture.n) { this.select(Number(this.opened.track)); delete this.opened.track; }
    this.recall();
    this.panels.draw(true);
    this.shown = this.number;
  }

  // Which tracks alerts name, and how urgently: 1 expected, 2 present.
  name(alerts) {
    const before = this.named, { picture } = this;
    this.named = new Map();
    for (const { level, tracks } of alerts) if (level !== "notice") for (const id of tracks) this.named.set(id, Math.max(this.named.get(id) || 0, level === "present" ? 2 : 1));
    for (const id of [...before.keys(), ...this.named.keys()]) { const slot = picture.slots.get(id); if (slot !== undefined) picture.changed.add(slot); }
  }

  facts(facts) {
    for (const name of ["health", "alerts", "counts"]) if (facts[name]) this[name] = facts[name];
    if (facts.stations) {
      this.stations = facts.stations;
      this.plots.life = Math.max(8, ...facts.stations.map((s) => Math.min(30, 1.1 * (s.period_s || 0))));
      this.basemap.rings(facts.stations);
    }
    if ("replay" in facts) this.timeline.take(facts.replay);
    if (facts.feed) this.feed.take(facts.feed);
    if (facts.inputs) this.inputs = facts.inputs;
    if (facts.coverage) this.basemap.covered({ type: "FeatureCollection", features: facts.coverage.map((ring) => ({ type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring] } })) });
    if (facts.alerts) { this.name(facts.alerts); this.status.alerts(facts.alerts); }
  }

  tell(told) {
    if (told.track !== this.look.selected) return;
    told.alerts = this.alerts.filter((alert) => alert.tracks.includes(told.track)).map((alert) => alert.kind);
    this.course = told.past || null;
    const first = this.story.told?.waiting;
    this.story.show(told);
    if (first && !this.following) { if (this.going) this.center(); else this.uncover(this.picture.slots.get(told.track)); } // the panel has grown over it, perhaps
    this.wake();
  }

  // An option was changed.
  chosen(name) {
    if (name === "theme") {
      document.documentElement.dataset.theme = this.look.themeName();
      this.look.repaint();
      this.labels.forget();
      this.map.setStyle(this.style(), { diff: false });
      this.timeline.draw();
      this.panels.draw();
      if (this.story.told) this.story.show(this.story.told);
    }
    if (name === "units") { this.units.system = this.options.get("units"); this.labels.forget(); this.basemap.rings(); this.panels.draw(); if (this.story.told) this.story.show(this.story.told); }
    if (name === "projection") this.map.setProjection({ type: this.options.get("projection") === "mercator" ? "mercator" : "globe" });
    if (name === "colour" || name === "area") this.panels.draw();
    this.look.filter();
    this.choose();
    const filtered = document.querySelector("[data-panel=filter]");
    if (this.look.filtered) filtered.dataset.on = ""; else delete filtered.dataset.on;
    if ($("filtered")) $("filtered").textContent = `Tracks shown: ${this.look.visible} of ${this.picture.n}`;
    this.basemap.switches();
    this.restyle();
    this.remember();
  }

  // Decide anew who is shown.
  choose() {
    for (let slot = 0; slot < this.picture.n; slot++) this.look.choose(slot);
  }

  restyle() { this.layer.touch(); this.labels.touch(); this.wake(); }
  wake() { this.painted = 0; }

  // Paint as often as something moves by a part of a pixel: sixty times a second at an airport, a few times over a continent.
  pace() {
    const moving = this.clock.frozen() ? 0 : (this.fastest * this.clock.speed) / this.camera.metresPerPixel; // pixels a second
    const wait = moving > 0 ? Math.min(STILL_MS, (1000 * STEP_PIXELS) / moving) : STILL_MS, now = performance.now();
    if (now - this.painted < wait) return;
    this.painted = now;
    if (this.layer.more || this.labels.behind) this.wake(); // more of it next time
    if (this.following) this.center(false);
    this.map.triggerRepaint();
  }

  placeOf(slot) {
    const p = this.picture, dt = Math.max(0, Math.min(AHEAD_S, (this.clock.now() - p.t[slot]) / 1000));
    return moved(p.lat[slot], p.lon[slot], ...ahead(p.ve[slot] || 0, p.vn[slot] || 0, p.turn[slot], dt));
  }

  select(id, go = false) {
    const slot = this.picture.slots.get(id), before = this.picture.slots.get(this.look.selected);
    if (slot === undefined) id = -1;
    this.look.selected = id;
    this.course = null;
    this.following = this.story.following = false;
    this.going = go; // to it: where that is, the panel's size tells, which grows with its story
    this.link.say("story", id < 0 ? null : id, true);
    this.story.show(id < 0 ? null : { track: id, waiting: true });
    if (id >= 0) { say(`Selected ${this.picture.name(slot)}`); if (go) this.center(); }
    if (id >= 0 && !go) requestAnimationFrame(() => this.uncover(slot));
    for (const one of [before, slot]) if (one !== undefined) { this.look.choose(one); this.layer.change(one); this.picture.trailed.add(one); }
    this.labels.touch();
    this.wake();
    this.remember();
  }

  // The part of the screen that no panel covers: left, top, right, bottom. On a small screen panels lie below, else at the sides.
  free() {
    const { width, height } = this.camera, box = (name) => ($(name).hidden ? null : $(name).getBoundingClientRect());
    const made = [0, box("bar").bottom, width, box("feed")?.top ?? box("line")?.top ?? height], story = box("story"), panel = box("panel");
    if (story && story.width > 0.7 * width) made[3] = Math.min(made[3], story.top); else if (story) made[0] = story.right;
    if (panel && panel.width > 0.7 * width) made[3] = Math.min(made[3], panel.top); else if (panel) made[2] = panel.left;
    return made;
  }

  // Move the map where a panel has come to lie over a track.
  uncover(slot) {
    if (slot === undefined) return;
    const [l, t, r, b] = this.free(), x = this.labels.points[2 * slot], y = this.labels.points[2 * slot + 1], edge = 24;
    if (!(x > 0 && y > 0 && x < this.camera.width && y < this.camera.height) || (x > l + edge && x < r - edge && y > t + edge && y < b - edge)) return;
    const dx = x < l + edge || x > r - edge ? x - (l + r) / 2 : 0, dy = y < t + edge || y > b - edge ? y - (t + b) / 2 : 0;
    this.map.panBy([dx, dy], { duration: 300 });
  }

  // The next track on the screen, by number.
  step(by) {
    const p = this.picture, on = [];
    for (let slot = 0; slot < p.n; slot++) { const x = this.labels.points[2 * slot], y = this.labels.points[2 * slot + 1]; if (x > 0 && y > 0 && x < this.camera.width && y < this.camera.height) on.push(p.id[slot]); }
    on.sort((a, b) => a - b);
    if (on.length) this.select(on[(on.indexOf(this.look.selected) + by + on.length) % on.length]);
  }

  follow(on = !this.following) {
    if (on && this.look.selected < 0) return;
    if (on === this.following) return;
    this.following = this.story.following = on;
    if (this.story.told) this.story.show(this.story.told);
    if (on) this.center();
  }

  center(glide = true) {
    const slot = this.picture.slots.get(this.look.selected);
    if (slot === undefined) { this.following = this.story.following = false; return; }
    const [lat, lon] = this.placeOf(slot), center = [lon / RAD, lat / RAD], [, top, , bottom] = this.free();
    const offset = [0, bottom - top < 0.7 * this.camera.height ? (top + bottom - this.camera.height) / 2 : 0]; // above a panel, where one lies below
    if (glide) this.map.easeTo({ center, offset, zoom: Math.max(this.map.getZoom(), 6.5), duration: 500 });
    else if (!this.map.isMoving()) this.map.easeTo({ center, offset, duration: 0 });
  }

  go(lat, lon, zoom) { this.follow(false); this.map.flyTo({ center: [lon, lat], zoom, duration: 1100 }); }

  goAlert(alert) {
    const track = alert.tracks.find((id) => this.picture.slots.has(id));
    if (track !== undefined) return this.select(track, true);
    const station = this.stations.find((one) => one.id === alert.sensor);
    if (station && station.lat !== null) this.go(station.lat, station.lon, 6);
  }

  // The whole picture: the first place, or all tracks and sensors; of so few that they tell no extent, a country around.
  home(glide = true) {
    const place = this.about.places[0], p = this.picture;
    if (place) return this.go(place.lat, place.lon, place.zoom);
    const told = this.timeline.told?.where, lat = told ? told.map((one) => one[0]) : [], lon = told ? told.map((one) => one[1]) : [];
    if (!told) for (let slot = 0; slot < p.n; slot++) { lat.push(p.lat[slot] / RAD); lon.push(p.lon[slot] / RAD); }
    for (const one of this.stations) if (one.lat !== null) { lat.push(one.lat); lon.push(one.lon); }
    const found = extent(lat, lon), { clientWidth: wide, clientHeight: high } = this.map.getCanvas();
    if (!found) return;
    this.placed = true;
    const [[west, south], [east, north]] = found, nearest = lat.length > 3 ? 11 : 7.5, duration = glide ? 900 : 0;
    if (east - west < POINT && north - south < POINT) return void this.map.easeTo({ center: [(west + east) / 2, (south + north) / 2], zoom: nearest, duration }); // a globe can't be fitted to a point
    const side = Math.min(90, wide / 8), padding = { left: side, right: side, top: Math.min(110, high / 5), bottom: Math.min(110, high / 5) };
    this.map.fitBounds(found, { padding, maxZoom: nearest, duration });
  }

  bounds() {
    const b = this.map.getBounds();
    return [b.getWest(), Math.max(-90, b.getSouth()), b.getEast(), Math.min(90, b.getNorth())];
  }

  resetFilters() { for (const name of ["heightMin", "heightMax", "kinds", "sources", "statuses", "area"]) this.options.set(name, DEFAULTS[name]); this.panels.draw(); }
  flip(name) { this.options.set(name, !this.options.get(name)); toast(`${name}: ${this.options.get(name) ? "on" : "off"}`); this.panels.draw(); }

  cycle(name, values) {
    const next = values[(values.indexOf(this.options.get(name)) + 1) % values.length];
    this.options.set(name, next);
    toast(`${name}: ${next === 0 ? "off" : next}${name === "vector" && next ? " s" : ""}`);
    this.panels.draw();
  }

  theme() { this.options.set("theme", this.look.themeName() === "dark" ? "light" : "dark"); }

  escape() {
    if (!$("found").hidden) { this.find.close(); this.find.box.blur(); }
    else if (this.measure.on) this.measure.toggle(false);
    else if (this.panels.open) this.panels.toggle(this.panels.open);
    else this.select(-1);
  }

  // What the address says: the view, the selected track, and every option that isn't usual.
  state() {
    const { lat, lng } = this.map.getCenter();
    return { z: this.map.getZoom().toFixed(2), c: `${lat.toFixed(4)},${lng.toFixed(4)}`, ...(this.look.selected >= 0 ? { track: this.look.selected } : {}), ...this.options.changed() };
  }

  remember() {
    clearTimeout(this.remembering);
    this.remembering = setTimeout(() => writeHash(this.state()), 250);
  }

  share() {
    writeHash({ ...this.state(), ...(this.about.replay || this.timeline.past ? { t: Math.round(this.clock.now()) } : {}) });
    this.copy(location.href, "Link copied");
  }

  async copy(text, told) {
    try { await navigator.clipboard.writeText(text); toast(told); } catch { toast(text); }
  }

  shot() { shoot(this); }
}

try {
  if (!document.createElement("canvas").getContext("webgl2")) throw new Error("this browser has no WebGL 2, which draws the map. It may be switched off, or the graphics driver be too old");
  window.airpicture = new App(await (await fetch("/map/about.json")).json());
} catch (error) {
  sorry(`The map can't be shown: ${error.message}.`);
  throw error;
}
