import { ExitCode } from "../exit_code.ts";
import { withSnapshots } from "../snapshots/open_snapshots.ts";
import { COMMAND } from "../product.ts";
import { resolveRecord, tellShadowed } from "../snapshots/resolve_record.ts";
import { checkTag } from "../arguments/check_tag.ts";
import type { Session } from "../session.ts";
import { renewListing } from "../stores/renew_listing.ts";
import { formatTable } from "../terminal/table.ts";
import { formatLocalTime } from "../terminal/units.ts";
import { UsageError } from "../arguments/usage_error.ts";

/** `snap tag NAME ID`, and `snap tag` */
export async function run(session: Session): Promise<number> {
  const [name, text] = session.args.positionals;
  if (session.args.has("delete")) {
    throw new UsageError(
      "Cannot delete a tag: its log only grows",
      "let it name another snapshot instead",
    );
  }
  if (name === undefined) return await list(session);
  await checkTag(name);
  if (text === undefined) {
    throw new UsageError(
      "Cannot tag without ID",
      `${COMMAND} tag ${name} latest names the newest snapshot, ${COMMAND} log --tag ${name} shows the log`,
    );
  }
  return await withSnapshots(
    session,
    { isLight: true, isWriting: true },
    async (snapshots, opened) => {
      const { signal } = session;
      const { tagSnapshot } = await import("@snap/snapshot/records");
      const record = await resolveRecord(session, snapshots, text);
      const number = await tagSnapshot(snapshots, name, record, { signal });
      await renewListing(session, opened);
      await tellShadowed(session, snapshots, name);
      await session.result(record.tree, {
        type: "tag",
        tag: name,
        number,
        id: record.tree,
        record: record.record,
      });
      session.detail(`${name} names ${record.tree}@${record.record}`);
      return ExitCode.done;
    },
  );
}

async function list(session: Session): Promise<number> {
  return await withSnapshots(session, { isLight: true }, async (snapshots) => {
    const { signal, isForPeople, isJson } = session;
    const { listTags } = await import("@snap/snapshot/records");
    const rows: string[][] = [];
    for (const one of await listTags(snapshots, { signal })) {
      if (one.damage !== undefined || one.name === undefined) {
        session.warn(
          `Cannot read tag ${one.tag}: ${one.damage?.message ?? "it is empty"}`,
        );
        continue;
      }
      const { tag, number, time } = one;
      const { tree, record } = one.name;
      if (isJson) {
        const line = { type: "tag", tag, number, id: tree, record, time };
        await session.result("", line);
      }
      rows.push(
        isForPeople
          ? [tag, tree.slice(0, 12), record.slice(0, 12), formatLocalTime(time)]
          : [tag, tree, record, time],
      );
    }
    if (isJson || rows.length === 0) return ExitCode.done;
    const columns = ["tag", "id", "record", "time"].map((title) => ({ title }));
    for (const line of formatTable(columns, rows, { isForPeople })) {
      await session.raw(`${line}\n`);
    }
    return ExitCode.done;
  });
}
