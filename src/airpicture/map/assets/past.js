// That the past is looked at can't be missed: a frame around the map, a line of words with the way back, another colour of the clock.

import { $, say } from "./dom.js";
import { clock, day, seconds } from "./units.js";

export class Past {
  constructor(app) {
    Object.assign(this, { app, on: false, present: 0, here: 0 });
    $("present").addEventListener("click", () => app.timeline.live());
  }

  draw() {
    const { clock: time, timeline } = this.app, on = timeline.past;
    if (!on && time.frame) { this.present = time.now(); this.here = performance.now(); }
    $("past").hidden = !on;
    if (on !== this.on) {
      this.on = on;
      say(on ? "You are looking at the past. Press w for the present." : "This is the present again.");
      document.title = (on ? "Past: " : "") + this.app.about.title;
      this.app.labels.touch();
    }
    if (!on) return;
    // Who came by a link to the past hasn't seen the present: the newest that's recorded tells of it.
    const now = time.now(), present = Math.max(this.present ? this.present + performance.now() - this.here : 0, timeline.line?.end || 0);
    const ago = (present - now) / 1000, other = day(now) !== day(present) ? `${day(now)} ` : "";
    $("past-when").textContent = `${other}${clock(now)} UTC, ${seconds(Math.max(1, Math.round(ago)))} ago${timeline.paused ? ", standing still" : ""}`;
  }
}
