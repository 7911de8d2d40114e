// What is drawn on the canvas below the data blocks: the selected track's whole course, and lines between tracks of one alert.

import { RAD } from "./camera.js";

export function overlay(c, app) {
  const { camera, look, picture, alerts } = app, theme = look.theme(), out = [0, 0];
  if (app.course && app.course.lat.length > 1) {
    c.strokeStyle = theme.text;
    c.globalAlpha = 0.55 * look.fade();
    c.lineWidth = 1.4;
    c.beginPath();
    let pen = false;
    const to = (lat, lon) => {
      camera.project(lat, lon, out);
      if (!(out[0] === out[0])) { pen = false; return; }
      if (pen) c.lineTo(out[0], out[1]); else c.moveTo(out[0], out[1]);
      pen = true;
    };
    app.course.lat.forEach((lat, k) => to(lat * RAD, app.course.lon[k] * RAD));
    const slot = picture.slots.get(look.selected);
    if (slot !== undefined) to(...app.placeOf(slot));
    c.stroke();
    c.globalAlpha = 1;
  }
  c.strokeStyle = theme.alertText;
  c.lineWidth = 1.3;
  c.setLineDash([5, 4]);
  for (const alert of alerts) {
    const slots = alert.tracks.map((id) => picture.slots.get(id)).filter((slot) => slot !== undefined);
    if (slots.length !== 2 || alert.level === "notice") continue;
    c.beginPath();
    slots.forEach((slot, k) => {
      camera.project(...app.placeOf(slot), out);
      if (k) c.lineTo(out[0], out[1]); else c.moveTo(out[0], out[1]);
    });
    c.stroke();
  }
  c.setLineDash([]);
}
