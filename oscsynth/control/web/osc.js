// OSC 1.0 packets: what the page sends and is told. Knows nothing of sockets or of the page.

const utf8 = new TextEncoder();
const text = new TextDecoder();
const padded = (length) => (length + 4) & ~3; // with at least one zero

/** Return the packet of a message; `types` has one letter of "ifs" for each argument. */
export function encode(address, types = "", ...values) {
  const parts = [address, `,${types}`].map((each) => utf8.encode(each));
  const strings = values.map((value, at) => (types[at] === "s" ? utf8.encode(value) : null));
  const sizes = [...parts.map((part) => padded(part.length)), ...strings.map((each) => (each ? padded(each.length) : 4))];
  const bytes = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  [...parts, ...values].forEach((item, index) => {
    const argument = index - parts.length;
    if (argument < 0) bytes.set(item, at);
    else if (types[argument] === "s") bytes.set(strings[argument], at);
    else if (types[argument] === "i") view.setInt32(at, item);
    else view.setFloat32(at, item);
    at += sizes[index];
  });
  return bytes;
}

const READ = {
  i: (view, at) => [view.getInt32(at), 4],
  f: (view, at) => [view.getFloat32(at), 4],
  d: (view, at) => [view.getFloat64(at), 8],
  h: (view, at) => [Number(view.getBigInt64(at)), 8],
  s: (view, at) => string(view, at),
  T: () => [true, 0],
  F: () => [false, 0],
  N: () => [null, 0],
  I: () => [Infinity, 0],
};

function string(view, at) {
  const bytes = new Uint8Array(view.buffer, view.byteOffset + at, view.byteLength - at);
  const length = bytes.indexOf(0);
  if (length < 0) throw new RangeError("a text that does not end");
  return [text.decode(bytes.subarray(0, length)), padded(length)];
}

/** Return the messages of a packet, as [address, values] each; those of a bundle in order. */
export function decode(buffer, offset = 0, length = buffer.byteLength) {
  const view = new DataView(buffer, offset, length);
  const [address, size] = string(view, 0);
  if (address !== "#bundle") return [message(view, address, size)];
  const found = [];
  for (let at = 16; at < length; ) {
    const bytes = view.getInt32(at);
    found.push(...decode(buffer, offset + at + 4, bytes));
    at += 4 + bytes;
  }
  return found;
}

function message(view, address, start) {
  if (start >= view.byteLength) return [address, []];
  const [types, size] = string(view, start);
  let at = start + size;
  const values = [...types.slice(1)].map((type) => {
    const [value, bytes] = READ[type](view, at);
    at += bytes;
    return value;
  });
  return [address, values];
}
