import type { Right } from "@snap/store/serve";
import { loadLate } from "../load_late.ts";
import type { Session } from "../session.ts";
import { locateArgument } from "../stores/locate_store.ts";
import { openStore } from "../stores/open_store.ts";
import { UsageError } from "../arguments/usage_error.ts";

/** Options that only a server over HTTP has. */
const HTTP_OPTIONS = [
  "listen",
  "tokens",
  "anonymous",
  "tls-cert",
  "tls-key",
] as const;

/** `snap serve [PATH]` */
export async function run(session: Session): Promise<number> {
  const { args } = session;
  const right = rightOf(session);
  const isStdio = args.has("stdio");
  const misplaced = HTTP_OPTIONS.find((name) => isStdio && args.has(name));
  if (misplaced !== undefined) {
    throw new UsageError(`Cannot use --${misplaced} with --stdio`);
  }
  if (args.has("create") && !isStdio) {
    throw new UsageError("Cannot use --create without --stdio");
  }
  const create = args.has("create");
  const place = await locateArgument(session, { isNew: create });
  const opened = await openStore(session, place, { create });
  try {
    if (isStdio) {
      const { serveStdio } = await loadLate(
        "serving/serve_stdio",
      ) as typeof import("../serving/serve_stdio.ts");
      return await serveStdio(session, opened.store, right ?? "prune");
    }
    const { serveHttp } = await loadLate(
      "serving/serve_http",
    ) as typeof import("../serving/serve_http.ts");
    return await serveHttp(session, opened.store, right ?? "append");
  } finally {
    await opened[Symbol.asyncDispose]();
  }
}

/** Right of clients without a token of their own, if the command line says it. */
function rightOf({ args }: Session): Right | undefined {
  if (args.has("read-only") && args.has("append-only")) {
    throw new UsageError("Cannot use --read-only and --append-only at once");
  }
  if (args.has("tokens")) {
    const name = ["read-only", "append-only"].find((one) => args.has(one));
    if (name !== undefined) {
      throw new UsageError(
        `Cannot use --${name} with --tokens: each token has its right`,
      );
    }
  }
  if (args.has("read-only")) return "read";
  return args.has("append-only") ? "append" : undefined;
}
