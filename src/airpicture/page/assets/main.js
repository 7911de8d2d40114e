// Puts the page together: data, view, time, mouse, fingers and keys. window.airpicture is for tests and the console.

async function main() {
  const message = $("message");
  if (typeof DecompressionStream === "undefined") {
    message.textContent = "This browser is too old to unpack the picture: it needs Chrome 80, Firefox 113, Safari 16.4 or newer.";
    return;
  }
  const { header, columns } = await readBundle($("bundle"));
  const globe = new Globe(), base = new BaseMap(header, columns), painter = new Painter(globe);
  const recordings = header.recordings.map((part, k) => new Recording(part, columns, k));
  const mapCanvas = $("map"), air = $("air"), mapContext = mapCanvas.getContext("2d", { alpha: false }), airContext = air.getContext("2d");
  const options = { rings: true, plots: true, truth: false, tentative: true, borders: true, history: 180, vector: 60, memory: 30, labels: "auto", ellipses: "selected", colour: "status", hidden: new Set() };
  let recording = recordings[0], selected = -1, playing = false, mapDirty = true, dirty = true, lastFrame = 0, following = false, told = 0;
  let theme = THEMES.dark, ratio = 1, frames = 0, drawMs = 0;

  function resize() {
    ratio = Math.min(2, window.devicePixelRatio || 1);
    globe.width = window.innerWidth; globe.height = window.innerHeight;
    for (const canvas of [mapCanvas, air]) { canvas.width = globe.width * ratio; canvas.height = globe.height * ratio; }
    const strip = $("strip");
    strip.width = strip.clientWidth * ratio; strip.height = strip.clientHeight * ratio;
    globe.turn();
    drawStrip();
    mapDirty = dirty = true;
  }

  function drawStrip() {
    const strip = $("strip"), c = strip.getContext("2d"), busy = recording.busy, most = Math.max(1, ...busy);
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.clearRect(0, 0, strip.width, strip.height);
    c.fillStyle = theme.status[1]; c.globalAlpha = 0.45;
    busy.forEach((count, k) => {
      const h = (strip.height * 0.62 * count) / most;
      c.fillRect((k * strip.width) / busy.length, strip.height * 0.66 - h, strip.width / busy.length + 0.5, h);
    });
    c.globalAlpha = 1;
  }

  function setTheme() {
    const wish = $("theme").value;
    const dark = wish === "dark" || (wish === "auto" && !window.matchMedia("(prefers-color-scheme: light)").matches);
    theme = dark ? THEMES.dark : THEMES.light;
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    sensorRows(recording, options, theme, touch);
    legend(painter, theme, options.colour, recording);
    drawStrip();
    mapDirty = dirty = true;
  }

  function touch() { dirty = true; }

  function home() { globe.fit(recording.box()); mapDirty = dirty = true; }

  function open(index) {
    recording = recordings[index];
    $("recording").value = String(index);
    options.hidden.clear();
    painter.side.clear();
    select(-1);
    $("subtitle").textContent = recording.about.subtitle;
    $("truthrow").style.display = recording.truth.t.length ? "" : "none";
    $("seek").max = String(Math.max(1, Math.ceil(recording.span / 100)));
    $("ends").textContent = clock(recording.t0) + " – " + clock(recording.t1);
    $("ends").title = new Date(recording.t0).toISOString() + " to " + new Date(recording.t1).toISOString();
    sensorRows(recording, options, theme, touch);
    legend(painter, theme, options.colour, recording);
    drawStrip();
    home();
    // Begin where much is to be seen, with history behind it and time left to play.
    const most = Math.max(...recording.busy), bins = recording.busy.length;
    let best = recording.busy.indexOf(most);
    for (let k = 0; k < 0.6 * bins; k++) if (recording.busy[k] >= 0.95 * most) best = k;
    setTime(((best + 0.5) / bins) * recording.span);
  }

  function setTime(when) {
    recording.seek(Math.max(0, Math.min(recording.span, when)));
    $("seek").value = String(Math.round(recording.now / 100));
    $("clock").textContent = clock(recording.t0 + recording.now) + "Z";
    dirty = true;
  }

  function select(k) {
    selected = k;
    $("story").hidden = k < 0;
    if (k < 0) { following = false; $("follow").checked = false; }
    dirty = true;
  }

  function play(on) {
    playing = on;
    if (on && recording.now >= recording.span) setTime(0);
    $("play").textContent = on ? "❚❚" : "▶";
    $("play").setAttribute("aria-label", on ? "Pause" : "Play");
    lastFrame = 0;
    dirty = true;
  }

  function tell() {
    const found = recording.counts();
    $("counts").textContent = found.confirmed + " confirmed, " + found.coasting + " coasting, " + found.tentative + " tentative now; " + found.ever.toLocaleString("en") + " ever confirmed";
    if (selected >= 0) story(recording, selected, theme);
  }

  function frame(stamp) {
    if (playing) {
      if (lastFrame) {
        const next = recording.now + Math.min(250, stamp - lastFrame) * Number($("speed").value);
        setTime(next);
        if (next >= recording.span) play(false);
      }
      lastFrame = stamp;
    }
    if (following && selected >= 0 && recording.row[selected] >= 0 && dirty) {
      const p = [0, 0, 0];
      recording.nowAt(selected, p);
      globe.lat = Math.asin(p[2]); globe.lon = Math.atan2(p[1], p[0]);
      globe.turn();
      mapDirty = true;
    }
    if (mapDirty) {
      mapContext.setTransform(ratio, 0, 0, ratio, 0, 0);
      base.draw(mapContext, globe, theme, options);
      scaleBar($("scale"), globe, theme);
      mapDirty = false; dirty = true;
    }
    if (dirty) {
      const began = performance.now();
      airContext.setTransform(ratio, 0, 0, ratio, 0, 0);
      painter.draw(airContext, recording, options, theme, selected);
      drawMs = performance.now() - began;
      dirty = false; frames++;
      if (!playing || stamp - told > 200) { tell(); told = stamp; }
    }
    requestAnimationFrame(frame);
  }

  for (const id of ["colour", "labels", "ellipses"]) $(id).addEventListener("change", () => {
    options[id] = $(id).value;
    legend(painter, theme, options.colour, recording);
    touch();
  });
  for (const id of ["history", "vector", "memory"]) $(id).addEventListener("change", () => { options[id] = Number($(id).value); touch(); });
  for (const id of ["plots", "rings", "truth", "tentative"]) $(id).addEventListener("change", () => { options[id] = $(id).checked; touch(); });
  $("borders").addEventListener("change", () => { options.borders = $("borders").checked; mapDirty = true; });
  $("theme").addEventListener("change", setTheme);
  window.matchMedia("(prefers-color-scheme: light)").addEventListener("change", setTheme);
  $("recording").addEventListener("change", () => open(Number($("recording").value)));
  $("play").addEventListener("click", () => play(!playing));
  $("seek").addEventListener("input", () => setTime(Number($("seek").value) * 100));
  $("close").addEventListener("click", () => select(-1));
  $("follow").addEventListener("change", () => { following = $("follow").checked; touch(); });
  $("home").addEventListener("click", home);
  const middle = () => [globe.width / 2, globe.height / 2];
  const zoom = (factor, x, y) => { globe.zoom(factor, x, y); mapDirty = true; };
  $("in").addEventListener("click", () => zoom(1.6, ...middle()));
  $("out").addEventListener("click", () => zoom(1 / 1.6, ...middle()));
  const fold = () => {
    const openNow = $("fold").getAttribute("aria-expanded") === "true";
    $("fold").setAttribute("aria-expanded", String(!openNow));
    $("controls").style.display = openNow ? "none" : "";
  };
  $("fold").addEventListener("click", fold);
  if (window.innerWidth <= 760) fold(); // a telephone's screen is for the map
  function find(text) {
    const wish = text.trim().toUpperCase();
    if (!wish) return -1;
    const parts = (k) => [...recording.names[k].map(String), "#" + recording.names[k][0]];
    const all = recording.names.map((_, k) => k);
    const live = all.filter((k) => recording.row[k] >= 0).concat(all.filter((k) => recording.row[k] < 0));
    const exact = live.find((k) => parts(k).some((part) => part.toUpperCase() === wish));
    const begins = exact ?? live.find((k) => parts(k).some((part) => part.toUpperCase().startsWith(wish)));
    return begins ?? -1;
  }
  $("find").addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    const k = find($("find").value);
    if (k < 0) { $("find").setAttribute("aria-invalid", "true"); $("find").title = "no such track"; return; }
    $("find").removeAttribute("aria-invalid"); $("find").title = "";
    if (recording.row[k] < 0) setTime((recording.t[recording.start[k]] + recording.t[recording.start[k + 1] - 1]) / 2);
    select(k);
    if (recording.row[k] >= 0) {
      const p = [0, 0, 0];
      recording.nowAt(k, p);
      globe.lat = Math.asin(p[2]); globe.lon = Math.atan2(p[1], p[0]);
      globe.turn();
      mapDirty = true;
    }
  });

  // One pointer drags, two zoom and move; a press that stays where it was chooses a track.
  const pointers = new Map();
  let moved = 0;
  air.addEventListener("pointerdown", (event) => {
    air.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, [event.clientX, event.clientY]);
    if (pointers.size === 1) moved = 0;
  });
  air.addEventListener("pointermove", (event) => {
    const under = globe.under(event.clientX, event.clientY);
    $("cursor").textContent = under ? place(under[0], under[1]) : "";
    const before = pointers.get(event.pointerId);
    if (!before) { air.style.cursor = painter.pick(event.clientX, event.clientY) >= 0 ? "pointer" : "crosshair"; return; }
    const dx = event.clientX - before[0], dy = event.clientY - before[1];
    moved += Math.abs(dx) + Math.abs(dy);
    if (pointers.size === 1) {
      if (moved > 4) { globe.drag(dx, dy); following = false; $("follow").checked = false; mapDirty = true; }
    } else if (pointers.size === 2) {
      const other = [...pointers.entries()].find(([id]) => id !== event.pointerId)[1];
      const was = Math.hypot(before[0] - other[0], before[1] - other[1]), is = Math.hypot(event.clientX - other[0], event.clientY - other[1]);
      if (was > 5 && is > 5) zoom(is / was, (event.clientX + other[0]) / 2, (event.clientY + other[1]) / 2);
      globe.drag(dx / 2, dy / 2);
      mapDirty = true;
    }
    pointers.set(event.pointerId, [event.clientX, event.clientY]);
  });
  const lift = (event) => {
    if (pointers.delete(event.pointerId) && event.type === "pointerup" && moved <= 4 && pointers.size === 0) select(painter.pick(event.clientX, event.clientY));
  };
  air.addEventListener("pointerup", lift);
  air.addEventListener("pointercancel", lift);
  air.addEventListener("wheel", (event) => {
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 30 : 1;
    zoom(Math.exp(-Math.max(-200, Math.min(200, event.deltaY * lines)) * 0.0022), event.clientX, event.clientY);
  }, { passive: false });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || ["INPUT", "SELECT", "BUTTON"].includes(event.target.tagName)) return;
    const act = {
      ArrowLeft: () => globe.drag(60, 0), ArrowRight: () => globe.drag(-60, 0), ArrowUp: () => globe.drag(0, 60), ArrowDown: () => globe.drag(0, -60),
      "+": () => zoom(1.4, ...middle()), "=": () => zoom(1.4, ...middle()), "-": () => zoom(1 / 1.4, ...middle()), "0": home,
      " ": () => play(!playing), "[": () => setTime(recording.now - 10000), "]": () => setTime(recording.now + 10000), Escape: () => select(-1),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
    mapDirty = true;
  });
  window.addEventListener("resize", resize);

  header.recordings.forEach((part, k) => {
    const option = element("option", part.title);
    option.value = String(k);
    $("recording").append(option);
  });
  $("recording").style.display = recordings.length > 1 ? "" : "none";
  resize();
  setTheme();
  open(0);
  resize();
  message.hidden = true;
  requestAnimationFrame(frame);

  window.airpicture = {
    ready: true,
    recordings: recordings.length,
    counts: () => ({ ...recording.counts(), plots: recording.plots.t.length, drawn: painter.hits.length, labels: painter.labelled || 0, frames, drawMs }),
    where: (k) => { const hit = painter.hits.find((one) => one.k === k); return hit ? [hit.x, hit.y] : null; },
    open, setTime: (seconds) => setTime(seconds * 1000), find, select, play,
    view: (lat, lon, km) => { globe.lat = lat * RAD; globe.lon = lon * RAD; globe.k = (globe.width * EARTH_M) / (km * 1000); globe.turn(); mapDirty = true; },
    set: (name, value) => { const input = $(name); if (input.type === "checkbox") input.checked = value; else input.value = value; input.dispatchEvent(new Event("change")); },
    // Times of `n` drawings of map and picture [ms], for tests of smoothness.
    time: (n = 20) => {
      const spent = { map: [], air: [] };
      for (let k = 0; k < n; k++) {
        let began = performance.now();
        base.draw(mapContext, globe, theme, options);
        spent.map.push(performance.now() - began);
        began = performance.now();
        recording.seek(recording.span * (k / n));
        painter.draw(airContext, recording, options, theme, selected);
        spent.air.push(performance.now() - began);
      }
      return spent;
    },
    // Differing colours in the middle of the two canvases: a blank one has one.
    colours: () => [mapContext, airContext].map((context) => {
      const { data } = context.getImageData(0, 0, context.canvas.width, context.canvas.height), found = new Set();
      for (let k = 0; k < data.length; k += 4 * 97) found.add((data[k] << 24) | (data[k + 1] << 16) | (data[k + 2] << 8) | data[k + 3]);
      return found.size;
    }),
  };
}

main().catch((error) => {
  const message = document.getElementById("message");
  message.hidden = false;
  message.textContent = "The picture can't be shown: " + error.message;
  console.error(error);
});
