import type { Change, ChangeKind } from "@snap/manifest/diff";
import type { EntryRow } from "@snap/manifest";
import { ExitCode } from "../exit_code.ts";
import { jsonPath, type JsonRecord } from "../terminal/json_line.ts";
import {
  openSide,
  type Side,
  withStoreIfNeeded,
} from "../snapshots/open_side.ts";
import type { Session } from "../session.ts";
import {
  comparePaths,
  type SocketChange,
  socketChanges,
} from "../terminal/socket_changes.ts";

const MARKS: Readonly<Record<ChangeKind, string>> = {
  added: "+",
  removed: "-",
  modified: "~",
  type: "!",
  attributes: "a",
};
const COLORS: Readonly<Record<ChangeKind, number>> = {
  added: 32,
  removed: 31,
  modified: 33,
  type: 35,
  attributes: 36,
};

/** `snap diff A B` */
export async function run(session: Session): Promise<number> {
  const [left, right] = session.args.positionals;
  return await withStoreIfNeeded(session, async (useStore) => {
    const before = await openSide(session, left, useStore);
    const after = await openSide(session, right, useStore);
    const isSame = await compare(session, before, after);
    const exitCode = Math.max(before.exitCode, after.exitCode);
    if (exitCode !== ExitCode.done || isSame) return exitCode;
    return session.args.has("exit-code") ? ExitCode.failed : ExitCode.done;
  });
}

/** Lists the differences of two sides; says whether there are none. */
export async function compare(
  session: Session,
  before: Side,
  after: Side,
): Promise<boolean> {
  const { diffSnapshots, snapshotSide } = await import("@snap/snapshot/query");
  const { changeRecord, changeText } = await writers(session);
  const { signal } = session;
  const options = { attributes: session.args.has("attributes"), signal };
  const changes = diffSnapshots(
    snapshotSide(before.objects, before.ids, options),
    snapshotSide(after.objects, after.ids, options),
    { signal },
  );
  // Sockets are no part of a snapshot, but a restore that deletes takes them.
  const sockets = options.attributes ? socketChanges(before, after) : [];
  const stat = session.args.has("stat")
    ? new (await import("../terminal/diff_stat.ts")).DiffStat()
    : undefined;
  const tell = async (change: Change | SocketChange): Promise<void> => {
    if (stat !== undefined) return stat.add(change);
    const record = session.isJson ? changeRecord(change) : NONE;
    await session.result(changeText(change), record);
  };
  let isSame = sockets.length === 0;
  let next = 0;
  for await (const batch of changes.batches()) {
    isSame = false;
    for (const change of batch) {
      while (
        next < sockets.length &&
        comparePaths(sockets[next].path, change.path) < 0
      ) await tell(sockets[next++]);
      await tell(change);
    }
  }
  for (const socket of sockets.slice(next)) await tell(socket);
  await stat?.tell(session);
  return isSame;
}

const NONE = { type: "change" };

/** Describes a socket, which no tree has. */
function socketRecord(kind: ChangeKind): Record<string, unknown> {
  return { [kind === "removed" ? "before" : "after"]: { kind: "socket" } };
}

async function writers(session: Session): Promise<{
  changeText(change: Change | SocketChange): string;
  changeRecord(change: Change | SocketChange): JsonRecord;
}> {
  const [{ displayPath }, { EntryKind }, { rowFields }] = await Promise.all([
    import("@snap/manifest/path"),
    import("@snap/manifest/extras"),
    import("@snap/snapshot/view"),
  ]);
  const { hasColor } = session;
  const isDirectory = (entry: EntryRow | undefined): boolean =>
    entry !== undefined &&
    (entry.row < 0 || entry.tree.kind(entry.row) === EntryKind.directory);
  return {
    changeText: ({ kind, path, before, after }) => {
      const slash = isDirectory(after ?? before) ? "/" : "";
      const name = path.length === 0 ? "." : displayPath(path);
      const text = `${MARKS[kind]} ${name}${slash}`;
      return hasColor ? `\x1b[${COLORS[kind]}m${text}\x1b[0m` : text;
    },
    changeRecord: ({ kind, path, before, after }) => ({
      type: "change",
      change: kind,
      ...jsonPath("path", path),
      before: before && rowFields(before),
      after: after && rowFields(after),
      ...(before ?? after ? {} : socketRecord(kind)),
    }),
  };
}
