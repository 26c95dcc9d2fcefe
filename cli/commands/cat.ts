import type { Session } from "../session.ts";
import { writeContent } from "../terminal/write_content.ts";

/** `snap cat ID:PATH` */
export async function run(session: Session): Promise<number> {
  return await writeContent(session, "cat", session.args.positionals[0]);
}
