// What the service counts, in the words of who looks at a picture rather than of who wrote it. What only the latter wants (how many
// groups of tracks were solved which way) stays in /metrics.

const REPORTS = { plots_received: "received", plots_out_of_sequence: "late, taken in all the same" };
const REFUSED = {
  not_finite: "a number is missing", no_position: "no position", range_outside: "beyond the sensor's range", unknown_sensor: "unknown sensor",
  duplicate: "received twice", late: "too late", future: "time ahead of the clock", bad_value: "impossible value", capacity: "no room left",
  sensor_without_site: "the sensor's place isn't known",
};
const TRACKS = { tracks_begun: "begun", tracks_merged: "double ones joined", tracks_lost: "lost in a crowd" };
const SHED = { births_shed: "new tracks not begun", pairs_shed: "reports not tried on far tracks" };

// Groups of [title, rows of [words, count]]; groups and rows of which nothing was counted are left out.
export function counted(counts) {
  const of = (words) => Object.entries(words).filter(([name]) => counts[name] > 0).map(([name, text]) => [text, counts[name]]);
  const refused = Object.entries(counts).filter(([name, n]) => name.startsWith("refused_") && n > 0)
    .map(([name, n]) => { const reason = name.slice(8); return [REFUSED[reason] || reason.replaceAll("_", " "), n]; })
    .sort((a, b) => b[1] - a[1]);
  const all = counts.plots_received || 0, sum = refused.reduce((total, [, n]) => total + n, 0);
  const share = all && sum ? `, ${(100 * sum / all).toFixed(sum / all < 0.1 ? 1 : 0)} %` : "";
  return [["Reports so far", of(REPORTS)], [`Not used${share}`, refused], ["Tracks so far", of(TRACKS)], ["Left out for lack of time", of(SHED)]].filter(([, rows]) => rows.length);
}

export const grouped = (n) => n.toLocaleString("en").replaceAll(",", " ");
