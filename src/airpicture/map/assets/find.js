// Find a track by callsign, address, code or number, or an airport by its codes or name.

import { $, el } from "./dom.js";

const SHOWN = 12;

export class Find {
  constructor(app) {
    Object.assign(this, { app, box: $("find"), list: $("found"), hits: [], at: 0 });
    this.box.addEventListener("input", () => this.search());
    this.box.addEventListener("focus", () => this.search());
    this.box.addEventListener("blur", () => setTimeout(() => this.close(), 150));
    this.box.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") { this.at = (this.at + (event.key === "ArrowDown" ? 1 : -1) + this.hits.length) % Math.max(1, this.hits.length); this.draw(); event.preventDefault(); }
    });
    $("search").addEventListener("submit", (event) => { event.preventDefault(); this.take(this.hits[this.at]); });
  }

  focus() { this.box.focus(); this.box.select(); }

  close() {
    this.list.hidden = true;
    this.box.setAttribute("aria-expanded", "false");
  }

  search() {
    const text = this.box.value.trim().toUpperCase(), { picture, basemap } = this.app;
    this.hits = [];
    this.at = 0;
    if (!text) return this.close();
    const ranked = [];
    for (let slot = 0; slot < picture.n; slot++) {
      const { callsign, address, code } = picture.names[slot], names = [callsign, address >= 0 ? address.toString(16).toUpperCase().padStart(6, "0") : "", code >= 0 ? code.toString(8).padStart(4, "0") : "", "#" + picture.id[slot], String(picture.id[slot])];
      const begins = names.some((name) => name && name.startsWith(text)), holds = begins || names.some((name) => name && name.includes(text));
      if (holds) ranked.push([begins ? 0 : 1, { track: picture.id[slot], name: picture.name(slot), note: names[1] || "#" + picture.id[slot] }]);
    }
    const a = basemap.airports;
    if (a && text.length > 1) {
      for (let k = 0, found = 0; k < a.ident.length && found < SHOWN; k++) {
        if (a.ident[k].startsWith(text) || a.iata[k] === text || (text.length > 2 && a.name[k].toUpperCase().includes(text))) { ranked.push([a.ident[k] === text || a.iata[k] === text ? 0.5 : 2 + a.rank[k], { airport: k, name: a.ident[k], note: a.name[k] }]); found++; }
      }
    }
    ranked.sort((p, q) => p[0] - q[0]);
    this.hits = ranked.slice(0, SHOWN).map(([, hit]) => hit);
    this.draw();
  }

  draw() {
    this.list.hidden = false;
    this.box.setAttribute("aria-expanded", "true");
    if (!this.hits.length) return this.list.replaceChildren(el("li", { className: "none" }, "nothing found"));
    this.list.replaceChildren(...this.hits.map((hit, k) => el("li", { role: "option", "aria-selected": String(k === this.at), on: { mousedown: (event) => { event.preventDefault(); this.take(hit); } } }, el("b", {}, hit.name), el("span", { className: "dim" }, hit.note))));
  }

  take(hit) {
    if (!hit) return;
    this.close();
    this.box.value = "";
    this.box.blur();
    if (hit.airport === undefined) return this.app.select(hit.track, true);
    const a = this.app.basemap.airports;
    this.app.go(a.lat[hit.airport], a.lon[hit.airport], 11);
  }
}
