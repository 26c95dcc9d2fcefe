import { archiveFormat } from "../archives/archive_formats.ts";
import { ExitCode } from "../exit_code.ts";
import type { Session } from "../session.ts";
import { withSnapshots } from "../snapshots/open_snapshots.ts";
import { openTarget } from "../snapshots/open_target.ts";
import { jsonPath } from "../terminal/json_line.ts";

/** `snap export ID[:PATH] --as FORMAT TARGET` */
export async function run(session: Session): Promise<number> {
  const format = archiveFormat(session, "as");
  const [text, target] = session.args.positionals;
  return await withSnapshots(session, {}, async (snapshots) => {
    const from = await openTarget(session, snapshots, text);
    const report = await format.export({ session, snapshots, from, target });
    session.clearProgress();
    if (report.text !== undefined) {
      const { tree, record } = from.record;
      await session.result(report.text, {
        type: "exported",
        ...{ id: tree, record, format: format.name },
        ...jsonPath("path", from.entry.path),
        ...report.fields,
      });
    }
    return ExitCode.done;
  });
}
