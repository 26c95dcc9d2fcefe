import type { FileCalls } from "./local_ranges.ts";

// No import: bundlers follow those, and in a browser nobody comes here.
const { closeSync, constants, openSync, readSync } = globalThis.process
  .getBuiltinModule("node:fs");

/** Nobody waits for a fifo that stands in the place of a file. */
const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

/** Reads files by `node:fs`. */
export const nodeFiles: FileCalls = {
  open: (path) => openSync(path, FLAGS),
  read: (file, out, offset) => readSync(file, out, 0, out.length, offset),
  close: closeSync,
};
