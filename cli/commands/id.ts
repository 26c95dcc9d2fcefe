import { identifyDirectory } from "../identify_directory.ts";
import type { Session } from "../session.ts";

/** `snap id DIR` */
export async function run(session: Session): Promise<number> {
  const { identified, exitCode } = await identifyDirectory(
    session,
    session.args.positionals[0],
    { keepTrees: false },
  );
  const { id, totals } = identified;
  await session.result(id, { type: "id", id, totals });
  return exitCode;
}
