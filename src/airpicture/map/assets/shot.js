// A picture of the map as it is, with the time and what it's of written below, to keep or to send.

import { toast } from "./dom.js";
import { clock, day } from "./units.js";

export function shoot(app) {
  app.layer.touch();
  app.map.once("render", () => {
    const map = app.map.getCanvas(), labels = app.labels.canvas, canvas = document.createElement("canvas"), ratio = map.width / map.clientWidth;
    canvas.width = map.width;
    canvas.height = map.height;
    const c = canvas.getContext("2d"), theme = app.look.theme();
    c.fillStyle = theme.space;
    c.fillRect(0, 0, canvas.width, canvas.height);
    c.drawImage(map, 0, 0);
    c.drawImage(labels, 0, 0, canvas.width, canvas.height);
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    const now = app.clock.now(), text = `${app.about.title}   ${day(now)} ${clock(now)} UTC   ${app.look.visible} track${app.look.visible === 1 ? "" : "s"}   ${app.clock.frozen() ? "FROZEN" : app.timeline.past ? "PAST" : app.clock.frame ? app.clock.frame.mode : ""}`;
    c.font = "12px system-ui, sans-serif";
    c.lineWidth = 3;
    c.strokeStyle = theme.textHalo;
    c.fillStyle = theme.text;
    c.strokeText(text, 12, map.clientHeight - 12);
    c.fillText(text, 12, map.clientHeight - 12);
    canvas.toBlob((blob) => {
      const link = document.createElement("a"), address = URL.createObjectURL(blob);
      link.href = address;
      link.download = `airpicture-${day(now)}-${clock(now).replaceAll(":", "")}Z.png`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(address), 1000);
      app.lastShot = blob.size;
      toast("Screenshot saved");
    }, "image/png");
  });
  app.wake();
}
