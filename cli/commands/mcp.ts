import { COMMAND, PRODUCT } from "../product.ts";
import { ExitCode } from "../exit_code.ts";
import { openCommandSnapshots } from "../snapshots/open_snapshots.ts";
import { resolvePath } from "../arguments/resolve_path.ts";
import type { Session } from "../session.ts";
import { UsageError } from "../arguments/usage_error.ts";
import { VERSION } from "../version.ts";
import { workerCount } from "../arguments/worker_count.ts";

/** `snap mcp --root DIR` */
export async function run(session: Session): Promise<number> {
  const { args, context, signal } = session;
  const given = args.list("root");
  if (given.length === 0) {
    throw new UsageError(
      `Cannot run ${COMMAND} mcp: --root is missing`,
      "--root DIR names a directory that may be saved and restored",
    );
  }
  const roots = await Promise.all(
    given.map((path) => resolvePath(session, path)),
  );
  const isReadOnly = args.has("read-only");
  const { serveMcp } = await import("@snap/mcp");
  await serveMcp({
    open: () =>
      openCommandSnapshots(session, {
        ...!isReadOnly && { whenAbsent: "create" },
      }),
    roots,
    isReadOnly,
    isAny: args.has("any"),
    host: context.hostname?.(),
    user: context.env("USER") ?? context.env("LOGNAME") ?? "",
    program: `${PRODUCT} ${VERSION}`,
    workers: workerCount(session),
    identity: { name: PRODUCT, version: VERSION },
    signal,
    onError: (error) => session.detail(error.message),
  });
  signal.throwIfAborted();
  return ExitCode.done;
}
