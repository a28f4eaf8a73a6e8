// Reads bodies from standard input and answers how JSON.parse reads them: once as parsed, and once copied member
// by member, as code does that merges objects. Framing and fields are those of go/main.go.
import { readSync, writeSync } from "node:fs";

const bits = new DataView(new ArrayBuffer(8));

function normal(value) {
  if (value === null || value === undefined) return "n";
  if (typeof value === "boolean") return value ? "t" : "f";
  if (typeof value === "number") {
    bits.setFloat64(0, value === 0 ? 0 : value);
    return "d" + bits.getBigUint64(0).toString(16).padStart(16, "0");
  }
  if (typeof value === "string") return "s" + Buffer.from(value, "utf8").toString("hex");
  if (Array.isArray(value)) return "[" + value.map(normal).join(",") + "]";
  const parts = Object.keys(value).map((key) => Buffer.from(key, "utf8").toString("hex") + ":" + normal(value[key]));
  return "{" + parts.sort().join(",") + "}";
}

function members(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? value : {};
}

// `copy[key] = ...` with the key `__proto__` sets what the copy inherits from, not a member.
function copied(value) {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(copied);
  const copy = {};
  for (const key of Object.keys(value)) copy[key] = copied(value[key]);
  return copy;
}

function line(document) {
  const top = members(document);
  const params = members(top.params);
  const [ref, wanted] = [members(params.ref), members(params.notifications)];
  const fields = [
    top.method, top.id, params.name, params.uri, ref.name, ref.uri, wanted.resourceSubscriptions, params.arguments,
  ];
  return fields.map(normal).join("\t");
}

function read(body) {
  try {
    const document = JSON.parse(body.toString("utf8"));
    return line(document) + "\t" + line(copied(document));
  } catch (error) {
    if (error instanceof SyntaxError) return "!\t!";
    throw error;
  }
}

function take(length) {
  const buffer = Buffer.alloc(length);
  for (let filled = 0; filled < length; ) {
    const got = readSync(0, buffer, filled, length - filled, null);
    if (got === 0) process.exit(0);
    filled += got;
  }
  return buffer;
}

for (;;) {
  const answer = Buffer.from(read(take(take(4).readUInt32BE(0))));
  const frame = Buffer.concat([Buffer.alloc(4), answer]);
  frame.writeUInt32BE(answer.length, 0);
  for (let sent = 0; sent < frame.length; ) sent += writeSync(1, frame, sent);
}
