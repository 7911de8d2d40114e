// Keys, and what they do. Letters alone, as displays have them; none while something is being typed.

export const KEYS = [
  { key: "/", text: "find a track or an airport", run: (app) => app.find.focus() },
  { key: "Escape", shown: "Esc", text: "let go: close, deselect, stop measuring", run: (app) => app.escape() },
  { key: "d", text: "display", run: (app) => app.panels.toggle("display") },
  { key: "f", text: "filter", run: (app) => app.panels.toggle("filter") },
  { key: "s", text: "sensors", run: (app) => app.panels.toggle("sensors") },
  { key: "a", text: "alerts", run: (app) => app.panels.toggle("alerts") },
  { key: "?", text: "this sheet", run: (app) => app.panels.toggle("help") },
  { key: "n", shown: "n  N", text: "next track, the one before", run: (app) => app.step(1) },
  { key: "N", run: (app) => app.step(-1) },
  { key: "c", text: "follow the selected track", run: (app) => app.follow() },
  { key: "h", text: "home: the whole picture", run: (app) => app.home() },
  { key: "b", text: "data blocks: auto, name, two lines, all, off", run: (app) => app.cycle("labels", ["auto", "1", "2", "3", "off"]) },
  { key: "v", text: "speed vectors: longer, off", run: (app) => app.cycle("vector", [0, 30, 60, 120, 180, 300]) },
  { key: "o", text: "history dots", run: (app) => app.cycle("trail", [0, 4, 8, 16]) },
  { key: "e", text: "uncertainty: off, selected, all", run: (app) => app.cycle("ellipses", ["off", "selected", "all"]) },
  { key: "p", text: "plots", run: (app) => app.flip("plots") },
  { key: "r", text: "range rings", run: (app) => app.flip("rings") },
  { key: "g", text: "globe or Mercator", run: (app) => app.cycle("projection", ["globe", "mercator"]) },
  { key: "k", text: "colour: source, height, status, age", run: (app) => app.cycle("colour", ["source", "height", "status", "age"]) },
  { key: "u", text: "units: aviation, SI", run: (app) => app.cycle("units", ["aviation", "si"]) },
  { key: "t", text: "dark or light", run: (app) => app.theme() },
  { key: "m", text: "measure distance and bearing", run: (app) => app.measure.toggle() },
  { key: "x", text: "screenshot", run: (app) => app.shot() },
  { key: "l", text: "copy a link to this view", run: (app) => app.share() },
  { key: " ", shown: "space", text: "pause or play", replay: true, run: (app) => app.timeline.toggle() },
  { key: ",", shown: ",  .", text: "ten seconds back, on", replay: true, run: (app) => app.timeline.step(-10) },
  { key: ".", replay: true, run: (app) => app.timeline.step(10) },
  { key: "[", shown: "[  ]", text: "slower, faster", replay: true, run: (app) => app.timeline.faster(-1) },
  { key: "]", replay: true, run: (app) => app.timeline.faster(1) },
  { key: "w", text: "back to the present", past: true, run: (app) => app.timeline.live() },
];

// Whether a key does something here: those of the time line where there's one.
export const works = (key, about) => (!key.replay || about.replay || about.history) && (!key.past || about.history);

export function listen(app) {
  const known = new Map(KEYS.map((key) => [key.key, key]));
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input:not([type=checkbox]):not([type=range]), select, textarea");
    if (event.ctrlKey || event.metaKey || event.altKey || (typing && event.key !== "Escape")) return;
    if (event.key === " " && event.target.matches("button, input")) return;
    const key = known.get(event.key);
    if (!key || !works(key, app.about)) return;
    event.preventDefault();
    key.run(app);
  });
}
