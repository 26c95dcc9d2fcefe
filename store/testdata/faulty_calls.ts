// The calls of the system with faults in them.
import {
  type FileCalls,
  fileCalls,
  type OpenFile,
} from "../file/file_calls.ts";

/** Kinds of calls that can be made to fail. */
export type CallKind =
  | "open"
  | "read"
  | "write"
  | "stat"
  | "chmod"
  | "sync"
  | "link"
  | "mkdir";

/** Which call fails, and how. */
export interface CallFault {
  /** Kinds that count. */
  readonly kinds: readonly CallKind[];
  /** The number of the call that fails, from 1; 0 for none. */
  at: number;
  /** Code of its error. */
  readonly code: string;
  /** How many calls of these kinds there were. */
  calls: number;
  /** What was synced, by path, also where the sync failed. */
  readonly synced: string[];
}

/** Makes a fault. */
export function fault(kinds: readonly CallKind[], code: string): CallFault {
  return { kinds, at: 0, code, calls: 0, synced: [] };
}

/** An error like those of the system. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: made by a test`), { code });
}

/** The calls of the system, of which one fails. */
export function faultyCalls(fault: CallFault): FileCalls {
  const calls = fileCalls();
  const enter = (kind: CallKind) => {
    if (!fault.kinds.includes(kind)) return;
    if (++fault.calls === fault.at) throw systemError(fault.code);
  };
  const wrap = (file: OpenFile, path: string): OpenFile => ({
    // deno-lint-ignore require-await
    read: async (...args) => (enter("read"), file.read(...args)),
    // deno-lint-ignore require-await
    write: async (...args) => (enter("write"), file.write(...args)),
    // deno-lint-ignore require-await
    stat: async () => (enter("stat"), file.stat()),
    // deno-lint-ignore require-await
    chmod: async (mode) => (enter("chmod"), file.chmod(mode)),
    datasync: async () => {
      fault.synced.push(path);
      enter("sync");
      await file.datasync();
    },
    sync: async () => {
      fault.synced.push(path);
      enter("sync");
      await file.sync();
    },
    close: () => file.close(),
  });
  const open =
    (method: (path: string) => Promise<OpenFile>) => async (path: string) => {
      enter("open");
      return wrap(await method(path), path);
    };
  return {
    ...calls,
    openToRead: open(calls.openToRead),
    openToAdopt: open(calls.openToAdopt),
    openNew: open(calls.openNew),
    // deno-lint-ignore require-await
    link: async (from, to) => (enter("link"), calls.link(from, to)),
    // deno-lint-ignore require-await
    mkdir: async (path) => (enter("mkdir"), calls.mkdir(path)),
    // deno-lint-ignore require-await
    chmod: async (path, mode) => (enter("chmod"), calls.chmod(path, mode)),
    // deno-lint-ignore require-await
    stat: async (path) => (enter("stat"), calls.stat(path)),
    statSync: (path) => (enter("stat"), calls.statSync(path)),
    folderSync: (path) => (enter("open"), calls.folderSync(path)),
  };
}
