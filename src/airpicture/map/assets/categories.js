// What a target says it is: emitter categories of ADS-B in words. Source: RTCA DO-260B, 2.2.3.2.5.2.

import { IN_AIR, ON_GROUND } from "./wire.js";

const CATEGORIES = {
  0xa1: "light aircraft", 0xa2: "small aircraft", 0xa3: "large aircraft", 0xa4: "large aircraft, high vortex", 0xa5: "heavy aircraft", 0xa6: "high performance aircraft", 0xa7: "rotorcraft",
  0xb1: "glider", 0xb2: "lighter than air", 0xb3: "parachutist", 0xb4: "ultralight", 0xb6: "unmanned aircraft", 0xb7: "spacecraft",
  0xc1: "emergency vehicle", 0xc2: "service vehicle", 0xc3: "obstacle", 0xc4: "cluster of obstacles", 0xc5: "line of obstacles",
};

export const category = (code) => CATEGORIES[code] || "";
export const ground = (said) => (said === ON_GROUND ? "on the ground" : said === IN_AIR ? "in the air" : "");
