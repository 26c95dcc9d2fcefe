import { openSide, withStoreIfNeeded } from "../open_side.ts";
import type { Session } from "../session.ts";

/** `snap manifest ID|DIR` */
export async function run(session: Session): Promise<number> {
  const { args, signal } = session;
  return await withStoreIfNeeded(session, async (useStore) => {
    const side = await openSide(session, args.positionals[0], useStore);
    const { manifestText } = await import("@snap/snapshot/manifest-text");
    const attributes = args.has("attributes");
    const lines = manifestText(side.objects, side.ids, { attributes, signal });
    for await (const batch of lines) {
      for (const text of batch) {
        await session.result(text, { type: "line", text });
      }
    }
    return side.exitCode;
  });
}
