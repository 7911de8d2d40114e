// Recordings that a service plays as if they came in now: pause, step and speed, for everybody who looks on.

import { $, toast } from "./dom.js";
import { rate, rates, stands } from "./timeline.js";

export class Feed {
  constructor() {
    this.told = null;
    $("feed-play").addEventListener("click", () => this.ask(this.told.rate ? "pause" : "play"));
    $("feed-step").addEventListener("click", () => this.ask(`step?seconds=${this.told.step_s}`));
    rates($("feed-rate"), (value) => this.ask(`speed?value=${value}`));
  }

  async ask(what) {
    try {
      const answer = await fetch(`/replay/${what}`, { method: "POST" });
      if (!answer.ok) toast((await answer.json()).error);
    } catch { toast("The service doesn't answer"); }
  }

  take(told) {
    this.told = told;
    $("feed").hidden = !told;
    document.body.classList.toggle("fed", Boolean(told));
    $("live").textContent = told ? "Now" : "Live"; // nothing is live there
    $("present").textContent = told ? "Back to now" : "Back to live";
    if (!told) return;
    stands($("feed-play"), !told.rate);
    const step = `+${+told.step_s.toPrecision(3)} s`;
    $("feed-step").textContent = step;
    $("feed-step").setAttribute("aria-label", `${step}: one step on, for everybody`);
    if (told.rate) rate($("feed-rate"), told.rate);
  }
}
