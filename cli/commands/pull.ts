import type { Session } from "../session.ts";
import { copyBetween } from "../snapshots/copy_snapshots.ts";
import { locateStore, placeOf } from "../stores/locate_store.ts";

/** `snap pull STORE [ID]...` */
export async function run(session: Session): Promise<number> {
  const [text, ...names] = session.args.positionals;
  const { place: to } = await locateStore(session);
  const from = await placeOf(session, text);
  return await copyBetween(session, { from, to, names });
}
