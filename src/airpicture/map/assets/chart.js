// One line over time, small: an area below it, its limits written, gaps where nothing is known.

export function chart(canvas, times, values, colour, style) {
  const ratio = window.devicePixelRatio || 1, w = canvas.clientWidth, h = canvas.clientHeight;
  if (!w || !h) return;
  canvas.width = w * ratio;
  canvas.height = h * ratio;
  const c = canvas.getContext("2d"), dim = style.getPropertyValue("--dim"), rule = style.getPropertyValue("--line");
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  c.font = "10px system-ui, sans-serif";
  const known = values.filter(Number.isFinite);
  if (known.length < 2) { c.fillStyle = dim; c.fillText("not known yet", 4, h / 2 + 3); return; }
  const [low, high] = limits(Math.min(...known), Math.max(...known)), left = 42, top = 5, bottom = h - 13;
  const t0 = times[0], t1 = times[times.length - 1];
  const x = (t) => left + ((w - left - 3) * (t - t0)) / Math.max(1, t1 - t0), y = (v) => bottom - ((bottom - top) * (v - low)) / (high - low);
  c.strokeStyle = rule;
  c.lineWidth = 1;
  c.fillStyle = dim;
  c.textAlign = "right";
  c.textBaseline = "middle";
  for (const v of [low, (low + high) / 2, high]) {
    c.beginPath();
    c.moveTo(left, y(v));
    c.lineTo(w - 3, y(v));
    c.stroke();
    if (v !== (low + high) / 2) c.fillText(String(Math.round(v)), left - 5, y(v));
  }
  c.textBaseline = "alphabetic";
  const span = (t1 - t0) / 1000;
  c.textAlign = "left";
  c.fillText(span < 120 ? `${Math.round(span)} s ago` : `${Math.round(span / 60)} min ago`, left, h - 2);
  c.textAlign = "right";
  c.fillText("now", w - 3, h - 2);
  c.strokeStyle = colour;
  c.lineWidth = 1.6;
  c.lineJoin = "round";
  let run = [];
  const flush = () => {
    if (run.length > 1) {
      c.beginPath();
      run.forEach(([px, py], k) => (k ? c.lineTo(px, py) : c.moveTo(px, py)));
      c.stroke();
      c.lineTo(run[run.length - 1][0], bottom);
      c.lineTo(run[0][0], bottom);
      c.globalAlpha = 0.14;
      c.fillStyle = colour;
      c.fill();
      c.globalAlpha = 1;
    }
    run = [];
  };
  values.forEach((v, k) => (Number.isFinite(v) ? run.push([x(times[k]), y(v)]) : flush()));
  flush();
}

// Round numbers about a range; one that hardly varies isn't blown up.
function limits(low, high) {
  const middle = (low + high) / 2, least = Math.max(Math.abs(middle) * 0.08, 4);
  if (high - low < least) { low = middle - least / 2; high = middle + least / 2; }
  const step = 10 ** Math.floor(Math.log10(high - low)) / 2;
  return [Math.floor(low / step) * step, Math.ceil(high / step) * step];
}
