import { archiveFormat } from "../archives/archive_formats.ts";
import { checkTag } from "../arguments/check_tag.ts";
import { UsageError } from "../arguments/usage_error.ts";
import { ExitCode } from "../exit_code.ts";
import { PRODUCT } from "../product.ts";
import type { Session } from "../session.ts";
import { withSnapshots } from "../snapshots/open_snapshots.ts";
import { renewListing } from "../stores/renew_listing.ts";
import { formatCounted, formatSize, parseSize } from "../terminal/units.ts";
import { VERSION } from "../version.ts";

/** `snap import --from FORMAT SOURCE` */
export async function run(session: Session): Promise<number> {
  const { args, context, signal } = session;
  const format = archiveFormat(session, "from");
  const [source] = args.positionals;
  const tag = args.text("tag");
  if (tag !== undefined) await checkTag(tag);
  const message = args.text("message");
  const sizeMax = sizeMaxOf(session);
  const options = {
    signal,
    host: args.text("host") ?? context.hostname?.() ?? "",
    user: context.env("USER") ?? context.env("LOGNAME") ?? "",
    program: `${PRODUCT} ${VERSION}`,
    ...message !== undefined && { message },
    ...sizeMax !== undefined && { sizeMax },
  };
  return await withSnapshots(session, {
    ...{ whenAbsent: "create", isTold: true, isWriting: true },
  }, async (snapshots, opened) => {
    const result = await format.import({ session, snapshots, source, options });
    session.clearProgress();
    const { id, record, saveId, totals, report } = result;
    if (tag !== undefined) {
      const { tagSnapshot } = await import("@snap/snapshot/records");
      await tagSnapshot(snapshots, tag, record, { signal, saveId });
      const { tellShadowed } = await import("../snapshots/resolve_record.ts");
      await tellShadowed(session, snapshots, tag);
    }
    await renewListing(session, opened);
    const { newByteCount, storedByteCount } = result;
    await session.result(id, {
      type: "imported",
      ...{ id, record: record.record, format: format.name, tag, totals },
      ...{ newByteCount, storedByteCount },
      ...report.fields,
    });
    session.note(
      `Imported ${formatCounted(totals.fileCount, "file")}, ${
        formatSize(totals.byteCount)
      }: ${formatSize(newByteCount)} of it new, stored in ${
        formatSize(storedByteCount)
      }`,
    );
    return ExitCode.done;
  });
}

function sizeMaxOf({ args }: Session): number | undefined {
  const text = args.text("size-max");
  if (text === undefined) return undefined;
  const size = parseSize(text);
  if (size !== undefined) return size;
  throw new UsageError(
    `Cannot use --size-max ${JSON.stringify(text)}: it takes bytes such as 10g`,
  );
}
