import { CommandError } from "../command_error.ts";
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

/** `snap tag NAME ID`, `snap tag --delete NAME`, and `snap tag` */
export async function run(session: Session): Promise<number> {
  const { args } = session;
  const [name, text] = args.positionals;
  if (name === undefined) {
    const option = ["delete", "move"].find((one) => args.has(one));
    if (option === undefined) return await list(session);
    throw new UsageError(`Cannot use --${option} without the name of a tag`);
  }
  await checkTag(name);
  if (args.has("delete")) {
    if (text === undefined) return await remove(session, name);
    throw new UsageError(
      `Cannot use --delete with ID: tag ${name} is deleted, whatever it names`,
    );
  }
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
      const { listTags, tagSnapshot } = await import("@snap/snapshot/records");
      if (args.has("move")) {
        const tags = await listTags(snapshots, { signal });
        if (!tags.some(({ tag }) => tag === name)) throw noTagError(name);
      }
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

async function remove(session: Session, name: string): Promise<number> {
  const options = { isLight: true, isWriting: true };
  return await withSnapshots(session, options, async (snapshots, opened) => {
    const { deleteTag } = await import("@snap/snapshot/records");
    const { signal } = session;
    const last = await deleteTag(snapshots, name, { signal });
    if (last === undefined) throw noTagError(name);
    await renewListing(session, opened);
    const { tree, record } = last.name ?? {};
    await session.result(tree ?? "", {
      type: "deletedTag",
      tag: name,
      ...last.name && { id: tree, record },
    });
    session.detail(
      `Deleted ${name}: ${COMMAND} tag ${name} ${name}~1 sets it again`,
    );
    return ExitCode.done;
  });
}

function noTagError(name: string): CommandError {
  return new CommandError(
    `Cannot find tag ${name}: the store has none of this name`,
    `${COMMAND} tag lists them`,
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
