import type { FileStore } from "@snap/store/file";
import { CommandError } from "../command_error.ts";
import { ExitCode } from "../exit_code.ts";
import type { Session } from "../session.ts";
import { locateArgument } from "../stores/locate_store.ts";
import { openStore } from "../stores/open_store.ts";
import { formatCounted } from "../terminal/units.ts";

/** `snap listing [PATH]` */
export async function run(session: Session): Promise<number> {
  const { signal } = session;
  const place = await locateArgument(session);
  if (place.kind === "far") {
    throw new CommandError(
      "Cannot write a listing into a store far away: it has to be a folder of this machine",
    );
  }
  const { store } = await openStore(session, place);
  const { writeListing } = await import("@snap/store/http");
  const count = await writeListing(store as FileStore, { signal });
  await session.result(
    `Wrote a listing of ${formatCounted(count, "name")}`,
    { type: "listing", path: place.path, nameCount: count },
  );
  return ExitCode.done;
}
