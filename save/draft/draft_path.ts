import { DEPTH_MAX } from "@snap/manifest/extras";
import { checkName, checkTarget } from "@snap/manifest/path";
import { EntryError } from "./entry_error.ts";

const SLASH = 0x2f;
const DOT = 0x2e;
/** Bytes that become text at once. */
const TEXT_SIZE = 4096;

/** Splits a path, and refuses what is no path of an entry. */
export function namesOf(path: Uint8Array): string[] {
  if (path[0] === SLASH) {
    throw new EntryError(path, "its path is absolute");
  }
  const names = partsOf(path);
  for (const name of names) {
    if (name === "..") throw leadsOut(path);
    const bytes = Uint8Array.from(name, (one) => one.charCodeAt(0));
    const fault = checkName(bytes, 0, bytes.length);
    if (fault !== undefined) {
      throw new EntryError(path, fault);
    }
  }
  if (names.length > DEPTH_MAX) throw tooDeep(path);
  return names;
}

/** Names of a path, a character for each byte, without those that stay where they are. */
export function partsOf(path: Uint8Array): string[] {
  const names: string[] = [];
  for (let start = 0, at = 0; at <= path.length; at++) {
    if (at < path.length && path[at] !== SLASH) continue;
    const isHere = at === start || (at === start + 1 && path[start] === DOT);
    if (!isHere) names.push(latin(path, start, at));
    start = at + 1;
  }
  return names;
}

/** Bytes as text, a character for each, in one piece of memory where they are few. */
export function latin(bytes: Uint8Array, start: number, end: number): string {
  let text = "";
  for (let at = start; at < end; at += TEXT_SIZE) {
    const part = bytes.subarray(at, Math.min(end, at + TEXT_SIZE));
    text += String.fromCharCode.apply(null, part as unknown as number[]);
  }
  return text;
}

/** Whether bytes are a name that stands for itself. */
export function isName(bytes: Uint8Array, start: number, end: number): boolean {
  return checkName(bytes, start, end) === undefined;
}

/**
 * Checks the target of a symbolic link.
 *
 * @throws {EntryError} If no snapshot can have it.
 */
export function checkLinkTarget(path: Uint8Array, target: Uint8Array): void {
  const fault = checkTarget(target, 0, target.length);
  if (fault === undefined) return;
  throw new EntryError(path, fault);
}

/** The error of a path that leads out of the snapshot. */
export function leadsOut(path: Uint8Array): EntryError {
  return new EntryError(path, "its path leads out of the root");
}

/** The error of a path that is too deep. */
export function tooDeep(path: Uint8Array): EntryError {
  return new EntryError(
    path,
    `directories nest more than ${DEPTH_MAX} deep`,
  );
}
