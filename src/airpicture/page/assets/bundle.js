// The data block of the page: gzip of (length of header, JSON header, columns), in base64. See page/bundle.py.

async function readBundle(element) {
  const text = atob(element.textContent.trim());
  const packed = new Uint8Array(text.length);
  for (let k = 0; k < text.length; k++) packed[k] = text.charCodeAt(k);
  element.textContent = "";
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const headerLength = new DataView(bytes.buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + headerLength)));
  let at = 4 + headerLength;
  const columns = {};
  for (const [name, kind, count] of header.columns) {
    if (kind === "u8") {
      columns[name] = bytes.slice(at, at + count);
      at += count;
    } else {
      columns[name] = unshuffle(bytes, at, count);
      at += 4 * count;
    }
  }
  return { header, columns };
}

// Differences of int32, bytes of equal significance side by side.
function unshuffle(bytes, at, count) {
  const out = new Int32Array(count);
  const b1 = at + count, b2 = b1 + count, b3 = b2 + count;
  let sum = 0;
  for (let k = 0; k < count; k++) {
    sum = (sum + (bytes[at + k] | (bytes[b1 + k] << 8) | (bytes[b2 + k] << 16) | (bytes[b3 + k] << 24))) | 0;
    out[k] = sum;
  }
  return out;
}
