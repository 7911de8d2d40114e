// That the past is looked at can't be missed: a frame around the map, a line of words with the way back, another colour of the clock.

import { $, say } from "./dom.js";
import { clock, day, seconds } from "./units.js";

export class Past {
  constructor(app) {
    Object.assign(this, { app, on: false, present: NaN, here: 0 });
    $("present").addEventListener("click", () => app.timeline.live());
  }

  draw() {
    const { clock: time, timeline } = this.app, on = timeline.past;
    if (!on) { this.present = time.now(); this.here = performance.now(); }
    $("past").hidden = !on;
    if (on !== this.on) {
      this.on = on;
      say(on ? "You are looking at the past. Press w for the present." : "This is the present again.");
      document.title = (on ? "Past: " : "") + this.app.about.title;
      this.app.labels.touch();
    }
    if (!on) return;
    const now = time.now(), ago = (this.present + performance.now() - this.here - now) / 1000;
    const other = day(now) !== day(this.present) ? `${day(now)} ` : "";
    $("past-when").textContent = `${other}${clock(now)} UTC, ${seconds(Math.max(1, Math.round(ago)))} ago${timeline.paused ? ", standing still" : ""}`;
  }
}
