// What a track is, beside the pointer: a few words for those who don't want its whole story.

import { category, ground } from "./categories.js";
import { $, el } from "./dom.js";
import { bearing, climbArrow, seconds } from "./units.js";
import { STATUS_NAMES } from "./wire.js";

export class Tip {
  constructor(app) {
    Object.assign(this, { app, box: $("tip"), id: -1, x: 0, y: 0 });
    app.map.getCanvas().addEventListener("pointerleave", () => this.show(-1));
  }

  // Show it for a track, -1 for none, beside a place on the screen.
  show(id, x = 0, y = 0) {
    Object.assign(this, { id, x, y });
    this.draw();
  }

  draw() {
    const { picture: p, units: u, look, clock, camera } = this.app, slot = this.id === look.selected ? undefined : p.slots.get(this.id); // the selected one's story is open
    this.box.hidden = slot === undefined;
    if (slot === undefined) return;
    const name = p.names[slot], status = [p.status[slot] === 1 ? "" : STATUS_NAMES[p.status[slot]], p.doubtful[slot] ? "doubtful" : ""].filter(Boolean).join(", ");
    const height = p.height(slot), speed = Math.hypot(p.ve[slot], p.vn[slot]), age = (clock.now() - p.plotT[slot]) / 1000;
    const moves = [Number.isFinite(height) ? u.level(height, Number.isFinite(p.baro[slot])) + climbArrow(p.vu[slot]) : "", Number.isFinite(speed) ? u.speed(speed) : "", speed > 1 ? bearing(Math.atan2(p.ve[slot], p.vn[slot])) : ""].filter(Boolean);
    const seen = [look.source(slot) === "none" ? "" : look.source(slot), Number.isFinite(age) ? `last seen ${seconds(Math.max(0, age))} ago` : ""].filter(Boolean);
    const lines = [[category(name.category), ground(p.said[slot])].filter(Boolean).join(", "), moves.join("  "), seen.join(", ")].filter(Boolean);
    this.box.replaceChildren(el("b", {}, p.name(slot)), ...(status ? [el("i", {}, status)] : []), ...lines.map((text) => el("div", {}, text)));
    const { offsetWidth: w, offsetHeight: h } = this.box, left = this.x + 18 + w > camera.width ? this.x - 18 - w : this.x + 18, top = this.y + 14 + h > camera.height ? this.y - 14 - h : this.y + 14;
    this.box.style.transform = `translate(${Math.round(Math.max(4, left))}px, ${Math.round(Math.max(4, top))}px)`;
  }
}
