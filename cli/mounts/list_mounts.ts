import {
  MOUNT_TYPE,
  type MountTableEntry,
  readMountTable,
  upperOf,
} from "@snap/fuse";
import { displayPath } from "@snap/manifest/path";
import { statfs } from "node:fs/promises";
import { jsonPath } from "../terminal/json_line.ts";
import type { Session } from "../session.ts";
import { formatTable } from "../terminal/table.ts";
import { formatCount, formatSize } from "../terminal/units.ts";

/** Longest time for a mount to say what it holds, in milliseconds. */
const ANSWER_MS_MAX = 1000;

const COLUMNS = [
  { title: "snapshot" },
  { title: "mounted on" },
  { title: "state" },
  { title: "entries", isNumber: true },
  { title: "size", isNumber: true },
] as const;

/** Whether a mount answers, and what it holds. */
interface State {
  readonly state: "ok" | "stale" | "silent" | "unreachable";
  readonly entryCount?: number;
  readonly byteCount?: number;
}

/** Lists what of this program is mounted. */
export async function listMounts(session: Session): Promise<void> {
  const { isForPeople, isJson } = session;
  const mounts = readMountTable().filter((one) =>
    one.type === MOUNT_TYPE || upperOf(one) !== undefined
  );
  const states = await Promise.all(mounts.map(stateOf));
  const rows: string[][] = [];
  for (const [i, mount] of mounts.entries()) {
    const path = Uint8Array.from(
      mount.mountpointBytes,
      (one) => one.charCodeAt(0),
    );
    if (isJson) {
      const { source } = mount;
      const place = jsonPath("mountpoint", path);
      await session.result("", {
        type: "mount",
        ...place,
        source,
        ...states[i],
      });
      continue;
    }
    const { state, entryCount, byteCount } = states[i];
    const source = mount.source.replace(/^snap:/, "");
    rows.push([
      source,
      displayPath(path),
      state,
      textOf(entryCount, isForPeople ? formatCount : String),
      textOf(byteCount, isForPeople ? formatSize : String),
    ]);
  }
  if (rows.length === 0) return;
  for (const line of formatTable(COLUMNS, rows, { isForPeople })) {
    await session.raw(`${line}\n`);
  }
}

function textOf(
  count: number | undefined,
  format: (count: number) => string,
): string {
  return count === undefined ? "" : format(count);
}

/** Asks a mount what it holds. Of a mount of all it is not known. */
async function stateOf(
  mount: MountTableEntry,
): Promise<State> {
  // The overlay answers for the file system of what was written.
  if (upperOf(mount) !== undefined) return { state: "ok" };
  const { mountpoint, source } = mount;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const silence = new Promise<State>((resolve) => {
    timer = setTimeout(() => resolve({ state: "silent" }), ANSWER_MS_MAX);
  });
  const answer = statfs(mountpoint).then(
    ({ files, blocks, bsize }): State => {
      // So the kernel answers for a mount that is closed to the caller.
      if (bsize === 0) return { state: "unreachable" };
      if (source === "snap:all") return { state: "ok" };
      return { state: "ok", entryCount: files, byteCount: blocks * bsize };
    },
    (error): State => ({
      state: error.code === "ENOTCONN" ? "stale" : "unreachable",
    }),
  );
  try {
    return await Promise.race([answer, silence]);
  } finally {
    clearTimeout(timer);
  }
}
