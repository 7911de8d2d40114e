// Small helpers for the page's own elements. Every text is set as text: a callsign can't become markup.

export const $ = (id) => document.getElementById(id);

// An element with properties, attributes (those with a dash or role) and children; null children are left out.
export function el(tag, about = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(about)) {
    if (name.includes("-") || name === "role" || name === "for") made.setAttribute(name, value);
    else if (name === "on") for (const [kind, run] of Object.entries(value)) made.addEventListener(kind, run);
    else made[name] = value;
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

let hiding = 0;
export function toast(text) {
  const box = $("toast");
  box.textContent = text;
  box.hidden = false;
  clearTimeout(hiding);
  hiding = setTimeout(() => { box.hidden = true; }, 2600);
}

// Tell who can't see the screen.
export function say(text) { $("said").textContent = text; }

// Say what's missing rather than leave a page that stands still.
export function sorry(text) {
  $("banner").textContent = text;
  $("banner").hidden = false;
}
