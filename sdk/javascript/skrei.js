// For programs that run inside skrei: progress, values, a log, parameters, and files.
//
// None of it is needed to be a job, and a program that uses it runs in any other WASI host, too: where nobody listens
// (SKREI_CHANNEL is not set), progress and values are lines on standard error. It is a component's library: files are
// reached by WASI's own interfaces.
//
//   export const run = program(() => {
//     progress(0.5, "half way");
//     value("files", 3);
//     writeText("/out/report.txt", readText("/in/names.txt"));
//   });

import { getArguments, getEnvironment } from "wasi:cli/environment@0.2.12";
import { exit } from "wasi:cli/exit@0.2.12";
import { getDirectories } from "wasi:filesystem/preopens@0.2.12";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Bytes written at once: what the interface takes without waiting. */
const PIECE_BYTES = 4096;

/** Makes a function a program: an error is said on standard error, and the program fails. */
export function program(main) {
  return {
    run() {
      try {
        main();
      } catch (error) {
        console.error(`error: ${error?.message ?? error}`);
        exit({ tag: "err" });
      }
    },
  };
}

/** The program's arguments, without its own name. */
export function args() {
  return getArguments().slice(1);
}

/** The variables of the program's environment. */
export function env() {
  return Object.fromEntries(getEnvironment());
}

/**
 * A parameter: from the argument --name=VALUE or --name VALUE, or else from the variable of that name in capitals, and
 * otherwise `otherwise`. It is of the type of that: a text, a number, or a truth.
 */
export function param(name, otherwise) {
  const flag = "--" + name.replaceAll("_", "-");
  const given = args();
  let text = env()[name.replaceAll("-", "_").toUpperCase()];
  given.forEach((argument, at) => {
    if (argument.startsWith(flag + "=")) text = argument.slice(flag.length + 1);
    else if (argument === flag) text = given[at + 1]?.startsWith("--") === false ? given[at + 1] : "true";
  });
  if (text === undefined) {
    if (otherwise === undefined) throw new Error(`parameter ${name} is missing; give it as ${flag}`);
    return otherwise;
  }
  if (typeof otherwise === "boolean") return ["true", "1", "yes"].includes(text.toLowerCase());
  if (typeof otherwise !== "number") return text;
  const number = Number(text);
  // The text itself may be a secret.
  if (text.trim() === "" || Number.isNaN(number)) throw new Error(`parameter ${name} is not a number`);
  return number;
}

/** What the program runs as; undefined outside of skrei. */
export function job() {
  const { SKREI_JOB_ID, SKREI_EXECUTION_ID, SKREI_NODE_ID, SKREI_JOB_TYPE, ...rest } = env();
  return SKREI_JOB_ID && {
    id: SKREI_JOB_ID,
    execution: SKREI_EXECUTION_ID,
    node: SKREI_NODE_ID,
    kind: SKREI_JOB_TYPE,
    partition: Number(rest.SKREI_PARTITION_INDEX ?? 0),
    partitions: Number(rest.SKREI_PARTITION_COUNT ?? 1),
  };
}

/** Says how far the program is: a share from 0 to 1 of all there is to do, and what it is doing. */
export function progress(fraction, message = "") {
  const share = Math.min(Math.max(Number.isFinite(fraction) ? fraction : 0, 0), 1);
  tell({ progress: { fraction: share, message } }, `progress ${Math.round(share * 100)}% ${message}`);
}

/** Reports anything that JSON can hold, under a key. Of several under one key the latest counts. */
export function value(key, content) {
  tell({ value: { key, value: content } }, `value ${key}=${JSON.stringify(content)}`);
}

/** Says one message, as one line on standard error: `INFO copied files=3`. */
export function log(level, message, fields = {}) {
  const plain = (text) => (/^[^\s"=]+$/.test(text) ? text : JSON.stringify(text));
  const all = Object.entries(fields).map(([name, field]) => ` ${name}=${plain(String(field))}`);
  console.error(`${level} ${message.replace(/[\r\n]/g, " ")}${all.join("")}`);
}

/** Reads a file as text. */
export function readText(path) {
  const file = open(path, {}, { read: true });
  const parts = [];
  let offset = 0n;
  for (;;) {
    const [bytes, end] = file.read(1n << 20n, offset);
    parts.push(decoder.decode(bytes, { stream: true }));
    offset += BigInt(bytes.length);
    if (end || bytes.length === 0) return parts.join("") + decoder.decode();
  }
}

/** Replaces a file, or makes it, so that no reader ever sees half of it. */
export function writeText(path, text) {
  const [place, name] = find(path);
  const temporary = name.replace(/[^/]*$/, ".$&.tmp");
  const file = openAt(place, temporary, path, { create: true, truncate: true }, { write: true });
  write(file, 0n, text);
  file.sync();
  place.renameAt(temporary, place, name);
}

/** The names in a directory. */
export function readDirectory(path) {
  const entries = open(path, { directory: true }, { read: true }).readDirectory();
  const names = [];
  for (let entry = entries.readDirectoryEntry(); entry; entry = entries.readDirectoryEntry()) names.push(entry.name);
  return names.sort();
}

let channel;

/** Writes a line to the host, or another to people. A host that does not listen any more is no reason to stop working. */
function tell(message, spoken) {
  if (channel === undefined) {
    const path = env().SKREI_CHANNEL;
    try {
      channel = path ? open(path, { create: true }, { write: true }) : null;
    } catch {
      channel = null;
    }
  }
  if (channel === null) return console.error(spoken);
  try {
    const line = encoder.encode(JSON.stringify(message) + "\n");
    const stream = channel.appendViaStream();
    for (let at = 0; at < line.length; at += PIECE_BYTES) {
      stream.blockingWriteAndFlush(line.subarray(at, at + PIECE_BYTES));
    }
  } catch {}
}

function write(file, offset, text) {
  const bytes = encoder.encode(text);
  for (let at = 0; at < bytes.length; ) at += Number(file.write(bytes.subarray(at), offset + BigInt(at)));
}

/** Finds the granted directory that a path is in: the one with the longest name. */
function find(path) {
  let best;
  for (const [directory, name] of getDirectories()) {
    const prefix = name.endsWith("/") ? name : name + "/";
    if (name === path) return [directory, "."];
    if (path.startsWith(prefix) && prefix.length > (best?.[2] ?? -1)) {
      best = [directory, path.slice(prefix.length), prefix.length];
    }
  }
  if (!best) throw new Error(`${path}: no directory was granted that it is in`);
  return best;
}

function open(path, how, rights) {
  const [directory, name] = find(path);
  return openAt(directory, name, path, how, rights);
}

function openAt(directory, name, path, how, rights) {
  try {
    return directory.openAt({ symlinkFollow: true }, name, how, rights);
  } catch (error) {
    throw new Error(`${path}: ${error?.payload ?? error?.message ?? error}`);
  }
}
