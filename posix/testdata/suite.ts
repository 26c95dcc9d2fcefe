// What every binding must do, in no test runner's words, so that Deno and Node run the same.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { errnoName } from "../errors.ts";
import { O_CREAT, O_DIRECTORY, O_EXCL, O_RDONLY, O_RDWR } from "../flags.ts";
import type { Posix } from "../calls.ts";
import { posix as loaded, posixAbsentReason } from "../posix.ts";

/** One check in a fresh directory, whose descriptor is `dir`. */
export interface Check {
  readonly name: string;
  /** Returns why it was not possible here, if so. */
  readonly run: (posix: Posix, dir: number, root: string) => string | void;
}

/** No descriptor: one that was closed may be given to another thread at once. */
export const NO_DESCRIPTOR = 0x3fff_ffff;

const encoder = new TextEncoder();

/** A name for a call. */
export function z(name: string): Uint8Array {
  return encoder.encode(name + "\0");
}

/** Text as bytes. */
export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Asserts that a call failed, and how. */
export function fails(result: number, code: string): void {
  assert(result < 0, `expected ${code}: found ${result}`);
  assert.equal(errnoName(result), code);
}

/** Asserts that a call did not fail. */
export function works(result: number): number {
  assert(result >= 0, `expected success: found ${errnoName(result)}`);
  return result;
}

/** Opens a new file. */
export function create(
  posix: Posix,
  dir: number,
  name: string,
  content = "",
): number {
  const fd = works(
    posix.openAt(dir, z(name), O_RDWR | O_CREAT | O_EXCL, 0x1a4),
  );
  if (content) {
    assert.equal(posix.write(fd, utf8(content)), utf8(content).length);
  }
  return fd;
}

/** Runs a check in a fresh directory, which is gone afterwards. */
export function runCheck(check: Check): string | void {
  if (loaded === undefined) return posixAbsentReason;
  const root = fs.mkdtempSync(path.join(os.tmpdir(), "posix-suite-"));
  const dir = works(loaded.open(z(root), O_RDONLY | O_DIRECTORY, 0));
  try {
    return check.run(loaded, dir, root);
  } finally {
    loaded.close(dir);
    fs.rmSync(root, { recursive: true });
  }
}
