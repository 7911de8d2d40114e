// Panels round the map. Texts that come from recordings are only ever set as text, never as markup.

const $ = (id) => document.getElementById(id);

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function degrees(value, positive, negative) {
  return Math.abs(value).toFixed(4) + "° " + (value < 0 ? negative : positive);
}
function place(lat, lon) {
  return degrees(lat / RAD, "N", "S") + "  " + degrees(lon / RAD, "E", "W");
}
function metres(value) {
  return value >= 10000 ? (value / 1000).toFixed(value >= 100000 ? 0 : 1) + " km" : value >= 10 ? Math.round(value) + " m" : value.toFixed(1) + " m";
}

function sensorRows(recording, options, theme, changed) {
  const list = $("sensors");
  list.replaceChildren();
  recording.sensors.forEach((sensor, k) => {
    const label = element("label"), box = element("input"), swatch = element("canvas", undefined, "swatch");
    box.type = "checkbox";
    box.checked = !options.hidden.has(k);
    box.addEventListener("change", () => { if (box.checked) options.hidden.delete(k); else options.hidden.add(k); changed(); });
    swatch.width = swatch.height = 10;
    const c = swatch.getContext("2d");
    c.fillStyle = theme.sensors[k % theme.sensors.length];
    c.fillRect(0, 0, 10, 10);
    const name = element("span", sensor.id), count = element("span", sensor.plots.toLocaleString("en"), "count");
    label.title = sensor.id + ": " + sensor.kind + ", " + sensor.plots.toLocaleString("en") + (sensor.plots === 1 ? " plot" : " plots");
    label.append(box, swatch, name, count);
    list.append(label);
  });
}

function legend(painter, theme, colour, recording) {
  const box = $("legend");
  box.replaceChildren();
  const row = (text, draw) => {
    const line = element("div"), canvas = element("canvas");
    canvas.width = 52; canvas.height = 44;
    const c = canvas.getContext("2d");
    c.scale(2, 2);
    draw(c);
    line.append(canvas, " " + text);
    box.append(line);
  };
  painter.theme = theme;
  const neutral = colour === "status" ? null : theme.text;
  row("confirmed", (c) => painter.symbol(c, 12, 11, 0, 1, 7.5, neutral || theme.status[1]));
  row("coasting: no plot where one was due", (c) => painter.symbol(c, 12, 11, 0, 2, 5.5, neutral || theme.status[2]));
  row("tentative", (c) => painter.symbol(c, 12, 11, 0, 0, 7.5, neutral || theme.status[0]));
  row("plots, newest brightest", (c) => {
    [0.45, 0.7, 1].forEach((alpha, m) => { c.globalAlpha = alpha; c.fillStyle = theme.sensors[0]; c.fillRect(3 + 7 * m, 9, 4.5, 4.5); });
  });
  if (colour === "height") HEIGHTS.forEach((shade, m) => row(m === HEIGHTS.length - 1 ? "FL375 and above" : "FL" + String(75 * m).padStart(3, "0") + " to " + String(75 * (m + 1)).padStart(3, "0"), (c) => { c.fillStyle = shade; c.fillRect(3, 5, 20, 12); }));
  if (colour === "sensor") recording.sensors.slice(0, 8).forEach((sensor, m) => row(sensor.id, (c) => { c.fillStyle = theme.sensors[m]; c.fillRect(3, 5, 20, 12); }));
}

// All that is known of one track at the time shown.
function story(recording, k, theme) {
  const rec = recording, r0 = rec.row[k];
  const r = r0 >= 0 ? r0 : Math.max(rec.start[k], Recording.before(rec.t, rec.start[k], rec.start[k + 1], rec.now));
  const [number, address, callsign, code] = rec.names[k];
  $("storyname").textContent = rec.name(k);
  $("storystatus").textContent = r0 < 0 ? "not in the picture at this time" : STATUS[rec.status[r]] + ", existence " + (rec.existence[r] / 200).toFixed(2);
  const v = Math.hypot(rec.ve[r], rec.vn[r]) * 0.1, heading = (Math.atan2(rec.ve[r], rec.vn[r]) / RAD + 360) % 360;
  const shape = ellipse(rec.se[r] * 0.1, rec.sn[r] * 0.1, rec.rho[r] / 100);
  const seen = rec.sensors.filter((_, s) => s < 31 && rec.seen[r] & (1 << s)).map((s) => s.id);
  const facts = [
    ["track", "#" + number],
    ["address", address || "–"], ["callsign", callsign || "–"], ["Mode 3/A", code || "–"],
    ["position", place(rec.lat[r] * rec.degree, rec.lon[r] * rec.degree)],
    ["height", [rec.h[r] === NONE ? "" : Math.round(rec.h[r]) + " m (ellipsoid)", rec.ft[r] === NONE ? "" : heightText(rec.ft[r], NONE)].filter(Boolean).join(", ") || "not measured"],
    ["speed", Math.round(speedKt(rec.ve[r], rec.vn[r])) + " kt (" + v.toFixed(0) + " m/s)"],
    ["track angle", v < 2 ? "–" : heading.toFixed(0).padStart(3, "0") + "°"],
    ["climb", rec.vu[r] === NONE ? "–" : (rec.vu[r] * 0.1).toFixed(1) + " m/s (" + Math.round((rec.vu[r] * 0.1) / 0.00508 / 10) * 10 + " ft/min)"],
    ["1σ ellipse", shape ? metres(shape.major) + " × " + metres(shape.minor) : "–"],
    ["sensors", seen.join(", ") || "–"],
    ["plots taken", rec.count[r] + (rec.age[r] === NONE || r0 < 0 ? "" : ", the last " + (rec.age[r] / 10 + (rec.now - rec.t[r]) / 1000).toFixed(1) + " s ago")],
    ["held", clock(rec.t0 + rec.t[rec.start[k]]) + " to " + clock(rec.t0 + rec.t[rec.start[k + 1] - 1]) + " UTC"],
  ];
  $("storyfacts").replaceChildren(...facts.flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
  const rows = [];
  for (let m = r; m >= rec.start[k] && rows.length < 5; m--) {
    if (rec.age[m] !== NONE && rec.age[m] <= 0 && (m === rec.start[k] || rec.count[m] !== rec.count[m - 1] || rec.t[m] !== rec.t[m - 1])) {
      const from = rec.from[m] >= 0 && rec.sensors[rec.from[m]] ? rec.sensors[rec.from[m]].id : "";
      rows.push(element("li", [clock(rec.t0 + rec.t[m]), from, heightText(rec.ft[m], rec.h[m]), Math.round(speedKt(rec.ve[m], rec.vn[m])) + " kt"].filter(Boolean).join("  ·  ")));
    }
  }
  $("storyplots").replaceChildren(...(rows.length ? rows : [element("li", "none in the last states")]));
  curve($("heightline"), rec, k, r, (m) => (rec.ft[m] !== NONE ? rec.ft[m] * 0.3048 : rec.h[m] !== NONE ? rec.h[m] : NaN), theme);
  curve($("sigmaline"), rec, k, r, (m) => { const s = ellipse(rec.se[m] * 0.1, rec.sn[m] * 0.1, rec.rho[m] / 100); return s ? s.major : NaN; }, theme, true);
}

// A small curve over the life of a track with the present marked.
function curve(canvas, rec, k, now, value, theme, fromZero = false) {
  const c = canvas.getContext("2d"), w = 300, h = 52, a = rec.start[k], b = rec.start[k + 1];
  canvas.width = 2 * w; canvas.height = 2 * h;
  c.scale(2, 2);
  const step = Math.max(1, Math.floor((b - a) / 600)), points = [];
  for (let m = a; m < b; m += step) { const y = value(m); if (isFinite(y)) points.push([rec.t[m], y]); }
  c.font = "10px system-ui, sans-serif"; c.fillStyle = theme.leader;
  if (points.length < 2) { c.fillText("nothing measured", 4, 30); return; }
  const ys = points.map((p) => p[1]), t0 = rec.t[a], t1 = Math.max(rec.t[b - 1], t0 + 1);
  let low = fromZero ? 0 : Math.min(...ys), high = Math.max(...ys);
  const least = fromZero ? 1 : 100; // m; less than this isn't worth a mountain
  if (high - low < least) { high = fromZero ? low + least : (high + low + least) / 2; low = fromZero ? 0 : high - least; }
  const x = (t) => 4 + ((w - 60) * (t - t0)) / (t1 - t0), y = (value) => h - 5 - ((h - 12) * (value - low)) / (high - low);
  c.strokeStyle = theme.status[1]; c.lineWidth = 1.4;
  c.beginPath();
  points.forEach(([t, v], m) => (m ? c.lineTo(x(t), y(v)) : c.moveTo(x(t), y(v))));
  c.stroke();
  c.strokeStyle = theme.leader; c.lineWidth = 1;
  const at = x(Math.max(t0, Math.min(t1, rec.now)));
  c.beginPath(); c.moveTo(at, 2); c.lineTo(at, h - 2); c.stroke();
  c.fillText(metres(high), w - 52, 12); c.fillText(metres(low), w - 52, h - 4);
}

// Bar of a round length, in km (or m) and nautical miles.
function scaleBar(canvas, globe, theme) {
  const c = canvas.getContext("2d"), perPixel = EARTH_M / globe.k;
  canvas.width = 360; canvas.height = 52;
  c.scale(2, 2);
  let best = 1;
  for (let power = 0; power < 8; power++) for (const digit of [1, 2, 5]) {
    const length = digit * 10 ** power;
    if (length / perPixel <= 110) best = length;
  }
  const px = best / perPixel;
  c.strokeStyle = theme.text; c.lineWidth = 1.6;
  c.beginPath(); c.moveTo(178 - px, 16); c.lineTo(178 - px, 22); c.lineTo(178, 22); c.lineTo(178, 16); c.stroke();
  c.font = "11px system-ui, sans-serif"; c.fillStyle = theme.text; c.textAlign = "right";
  const nmi = best / 1852;
  const text = (best >= 1000 ? best / 1000 + " km" : best + " m") + " · " + (nmi >= 10 ? nmi.toFixed(0) : nmi >= 0.1 ? nmi.toFixed(1) : nmi.toFixed(3)) + " NM";
  c.lineWidth = 3; c.strokeStyle = theme.halo; c.strokeText(text, 178, 11); c.fillText(text, 178, 11);
}
