// The line to the service: opened again whenever it's lost, sooner at first and then every few seconds, for as long as the page is open.

const FIRST_MS = 300, LATEST_MS = 5000, DEAD_MS = 20000;

export class Link extends EventTarget {
  constructor(address, clock, view) {
    super();
    Object.assign(this, { address, clock, view, wait: FIRST_MS, bytes: 0, frames: 0, heard: 0 });
    this.sent = {}; // what is said again to a new connection
    this.open();
    setInterval(() => { if (this.socket.readyState === 1 && performance.now() - this.heard > DEAD_MS) this.socket.close(); }, 5000);
  }

  open() {
    const socket = new WebSocket(`${this.address}?view=${this.view().join(",")}`);
    this.socket = socket;
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.wait = FIRST_MS;
      this.heard = performance.now();
      this.clock.connected = true;
      for (const [key, value] of Object.entries(this.sent)) socket.send(JSON.stringify({ [key]: value }));
      this.dispatchEvent(new Event("up"));
    };
    socket.onmessage = ({ data }) => {
      this.heard = performance.now();
      if (typeof data === "string") this.dispatchEvent(new CustomEvent("word", { detail: JSON.parse(data) }));
      else { this.bytes += data.byteLength; this.frames++; this.dispatchEvent(new CustomEvent("frame", { detail: data })); }
    };
    socket.onclose = () => {
      this.clock.connected = false;
      this.dispatchEvent(new Event("down"));
      setTimeout(() => this.open(), this.wait);
      this.wait = Math.min(LATEST_MS, this.wait * 1.7);
    };
  }

  // Say something; `keep` it to say again after the line was lost.
  say(key, value, keep = false) {
    if (keep) this.sent[key] = value;
    if (this.socket.readyState === 1) this.socket.send(JSON.stringify({ [key]: value }));
  }
}
