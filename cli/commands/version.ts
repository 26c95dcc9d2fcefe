import { findBackends } from "../snapshots/backends.ts";
import { ExitCode } from "../exit_code.ts";
import { COMMAND } from "../product.ts";
import type { Session } from "../session.ts";
import { VERSION } from "../version.ts";

/** `snap version` */
export async function run(session: Session): Promise<number> {
  const [{ DEFAULT_SETTINGS }, backends] = await Promise.all([
    import("@snap/snapshot"),
    findBackends(),
  ]);
  const fields = {
    runtime: session.context.runtime ?? "unknown",
    ...backends,
    codec: DEFAULT_SETTINGS.codec,
  };
  const lines = [
    `${COMMAND} ${VERSION}`,
    `runtime  ${fields.runtime}`,
    `hasher   ${fields.hasher}`,
    `decoders ${fields.decoders.join(", ") || "portable"}`,
    `files    ${fields.files}`,
    `codec    ${fields.codec} for new stores`,
  ];
  await session.result(lines.join("\n"), {
    type: "version",
    version: VERSION,
    ...fields,
  });
  return ExitCode.done;
}
