// For programs that run inside skrei: progress, values, a log, and files.
//
// None of it is needed to be a job, and a program that uses it runs in any other WASI host, too: where nobody listens
// (SKREI_CHANNEL is not set), progress and values are lines on standard error. Needs @assemblyscript/wasi-shim.
//
//   progress(0.5, "half way");
//   valueInt("files", 3);
//   const text = readText("/in/names.txt");
//   writeText("/out/report.txt", "done\n");

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_prestat_get")
declare function fd_prestat_get(fd: i32, result: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_prestat_dir_name")
declare function fd_prestat_dir_name(fd: i32, path: usize, length: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "path_open")
declare function path_open(fd: i32, flags: i32, path: usize, length: usize, how: i32, rights: u64, inherited: u64, fdflags: i32, result: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "path_rename")
declare function path_rename(fd: i32, from: usize, fromLength: usize, toFd: i32, to: usize, toLength: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_read")
declare function fd_read(fd: i32, buffers: usize, count: usize, result: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_write")
declare function fd_write(fd: i32, buffers: usize, count: usize, result: usize): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_sync")
declare function fd_sync(fd: i32): i32;
// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "fd_close")
declare function fd_close(fd: i32): i32;

const CREATE: i32 = 1;
const TRUNCATE: i32 = 8;
const APPEND: i32 = 1;
const RIGHT_READ: u64 = 1 << 1;
const RIGHT_SYNC: u64 = 1 << 4;
const RIGHT_WRITE: u64 = 1 << 6;

/** A place beneath one of the directories that the program was granted. */
class Place {
  constructor(public directory: i32, public path: ArrayBuffer) {}
}

/** Says how far the program is: a share from 0 to 1 of all there is to do, and what it is doing. */
export function progress(fraction: f64, message: string): void {
  const share = isFinite(fraction) ? Math.min(Math.max(fraction, 0), 1) : 0;
  tell(
    `{"progress":{"fraction":${share},"message":${quoted(message)}}}`,
    `progress ${<i32>Math.round(share * 100)}% ${message}`
  );
}

/** Reports a value, JSON on one line, under a key. Of several under one key the latest counts. */
export function valueJson(key: string, json: string): void {
  tell(`{"value":{"key":${quoted(key)},"value":${json}}}`, `value ${key}=${json}`);
}

export function valueInt(key: string, value: i64): void {
  valueJson(key, value.toString());
}

export function valueFloat(key: string, value: f64): void {
  valueJson(key, isFinite(value) ? value.toString() : "null");
}

export function valueString(key: string, value: string): void {
  valueJson(key, quoted(value));
}

/** Says one message, as one line on standard error: `INFO copied`. */
export function log(level: string, message: string): void {
  put(2, String.UTF8.encode(`${level} ${message}\n`));
}

/** Reads a file as text; null if it cannot be read. */
export function readText(path: string): string | null {
  const place = find(path);
  if (place == null) return null;
  const fd = open(place, 0, RIGHT_READ, 0);
  if (fd < 0) return null;
  const piece = new ArrayBuffer(65536);
  let whole = new Uint8Array(0);
  for (;;) {
    const read = get(fd, piece);
    if (read <= 0) break;
    const longer = new Uint8Array(whole.length + read);
    memory.copy(longer.dataStart, whole.dataStart, whole.length);
    memory.copy(longer.dataStart + whole.length, changetype<usize>(piece), read);
    whole = longer;
  }
  fd_close(fd);
  return String.UTF8.decodeUnsafe(whole.dataStart, whole.length);
}

/** Replaces a file, or makes it, so that no reader ever sees half of it. False if it cannot, and nothing has changed. */
export function writeText(path: string, text: string): bool {
  const place = find(path);
  const beside = find(path + ".tmp");
  if (place == null || beside == null) return false;
  const fd = open(beside, CREATE | TRUNCATE, RIGHT_WRITE | RIGHT_SYNC, 0);
  if (fd < 0) return false;
  const written = put(fd, String.UTF8.encode(text)) && fd_sync(fd) == 0;
  fd_close(fd);
  if (!written) return false;
  return path_rename(
    beside.directory, changetype<usize>(beside.path), beside.path.byteLength,
    place.directory, changetype<usize>(place.path), place.path.byteLength
  ) == 0;
}

let channel: i32 = -2;

/** Writes a line to the host, or another to people. */
function tell(message: string, spoken: string): void {
  if (channel == -2) {
    channel = -1;
    if (process.env.has("SKREI_CHANNEL")) {
      const place = find(process.env.get("SKREI_CHANNEL"));
      if (place != null) channel = open(place, CREATE, RIGHT_WRITE, APPEND);
    }
  }
  if (channel < 0) put(2, String.UTF8.encode(spoken + "\n"));
  else put(channel, String.UTF8.encode(message + "\n"));
}

/** Finds the granted directory that a path is in: the one with the longest name. */
function find(path: string): Place | null {
  const result = new ArrayBuffer(8);
  let best: Place | null = null;
  let longest = -1;
  for (let fd = 3; fd_prestat_get(fd, changetype<usize>(result)) == 0; fd++) {
    const length = load<u32>(changetype<usize>(result), 4);
    const name = new ArrayBuffer(length);
    if (fd_prestat_dir_name(fd, changetype<usize>(name), length) != 0) continue;
    const directory = String.UTF8.decode(name);
    const prefix = directory.endsWith("/") ? directory : directory + "/";
    if (path.startsWith(prefix) && prefix.length > longest) {
      longest = prefix.length;
      best = new Place(fd, String.UTF8.encode(path.substring(prefix.length)));
    }
  }
  return best;
}

function open(place: Place, how: i32, rights: u64, flags: i32): i32 {
  const result = new ArrayBuffer(4);
  const failed = path_open(
    place.directory, 1, changetype<usize>(place.path), place.path.byteLength, how, rights, 0, flags,
    changetype<usize>(result)
  );
  return failed ? -1 : load<i32>(changetype<usize>(result));
}

/** Writes all of it. */
function put(fd: i32, bytes: ArrayBuffer): bool {
  const buffer = new ArrayBuffer(12);
  const at = changetype<usize>(buffer);
  let done: u32 = 0;
  while (done < <u32>bytes.byteLength) {
    store<u32>(at, changetype<usize>(bytes) + done);
    store<u32>(at, bytes.byteLength - done, 4);
    if (fd_write(fd, at, 1, at + 8) != 0) return false;
    done += load<u32>(at, 8);
  }
  return true;
}

/** Reads a piece; how much of it there was, or -1. */
function get(fd: i32, piece: ArrayBuffer): i32 {
  const buffer = new ArrayBuffer(12);
  const at = changetype<usize>(buffer);
  store<u32>(at, changetype<usize>(piece));
  store<u32>(at, piece.byteLength, 4);
  return fd_read(fd, at, 1, at + 8) == 0 ? load<i32>(at, 8) : -1;
}

function quoted(text: string): string {
  let json = "\"";
  for (let at = 0; at < text.length; at++) {
    const letter = text.charCodeAt(at);
    if (letter == 0x22 || letter == 0x5c) json += "\\" + text.charAt(at);
    else if (letter < 0x20) json += "\\u" + letter.toString(16).padStart(4, "0");
    else json += text.charAt(at);
  }
  return json + "\"";
}
