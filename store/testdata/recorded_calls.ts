// The calls of the system, each written down, so that a test sees in which order they were made.
import {
  type FileCalls,
  fileCalls,
  type OpenFile,
} from "../file/file_calls.ts";

/** Calls that are written down. */
export interface RecordedCalls {
  /** The calls. */
  readonly calls: FileCalls;
  /** What was called, in order, with paths below the folder; random names are `NEW`. */
  readonly log: string[];
  /** Files that are open now. */
  readonly open: Set<OpenFile>;
}

/** The calls of the system, written down from the paths below a folder on. */
export function recordedCalls(folder: string): RecordedCalls {
  const calls = fileCalls();
  const log: string[] = [];
  const open = new Set<OpenFile>();
  const short = (path: string) =>
    path === folder
      ? "."
      : path.replace(`${folder}/`, "").replace(/[0-9a-f]{32}-[0-9a-f]+/, "NEW");
  const note = (call: string, ...paths: string[]) => {
    log.push([call, ...paths.map(short)].join(" "));
  };
  /** Noted when it is done, so that a call which nobody waits for is seen. */
  const noted = async <T>(
    call: string,
    path: string,
    run: () => Promise<T>,
  ): Promise<T> => {
    try {
      return await run();
    } finally {
      note(call, path);
    }
  };
  const wrap = (path: string, file: OpenFile): OpenFile => {
    const wrapped: OpenFile = {
      read: (...args) => (note("read", path), file.read(...args)),
      write: (...args) => noted("write", path, () => file.write(...args)),
      stat: () => file.stat(),
      chmod: (mode) =>
        noted(`chmod ${mode.toString(8)}`, path, () => file.chmod(mode)),
      datasync: () => noted("datasync", path, () => file.datasync()),
      sync: () => noted("sync", path, () => file.sync()),
      close: () => {
        if (!open.delete(wrapped)) throw new Error(`${path} is closed twice`);
        return noted("close", path, () => file.close());
      },
    };
    open.add(wrapped);
    return wrapped;
  };
  const opened =
    (call: string, method: (path: string) => Promise<OpenFile>) =>
    async (path: string) => {
      note(call, path);
      return wrap(path, await method(path));
    };
  const recorded: FileCalls = {
    ...calls,
    openToRead: opened("open", calls.openToRead),
    openToAdopt: opened("open", calls.openToAdopt),
    openNew: opened("make", calls.openNew),
    link: (from, to) => (note("link", from, to), calls.link(from, to)),
    unlink: (path) => noted("unlink", path, () => calls.unlink(path)),
    mkdir: (path) => noted("mkdir", path, () => calls.mkdir(path)),
    rmdir: (path) => noted("rmdir", path, () => calls.rmdir(path)),
    chmod: (path, mode) =>
      noted(`chmod ${mode.toString(8)}`, path, () => calls.chmod(path, mode)),
  };
  return { calls: recorded, log, open };
}
