import { UsageError } from "../arguments/usage_error.ts";
import type { Session } from "../session.ts";
import { chooseHasher } from "../snapshots/choose_hasher.ts";
import {
  copyOptions,
  peerOf,
  tellReport,
  withKeptProofs,
} from "../snapshots/copy_snapshots.ts";
import { placeOf } from "../stores/locate_store.ts";
import { openStore } from "../stores/open_store.ts";

/** `snap clone STORE DIR` */
export async function run(session: Session): Promise<number> {
  if (session.args.has("store")) {
    throw new UsageError("Cannot use --store with clone: it names both stores");
  }
  const [text, folder] = session.args.positionals;
  const place = await placeOf(session, folder, { isNew: true });
  const source = await placeOf(session, text);
  const from = await openStore(session, source);
  try {
    const into = await openStore(session, place, { create: true });
    try {
      const hasher = await chooseHasher();
      const { clone } = await import("@snap/sync");
      const peer = await peerOf(from, hasher);
      const options = { ...copyOptions(session), hasher };
      const report = await withKeptProofs(
        session,
        source,
        (proofs) => clone(peer, into.store, { ...options, ...proofs }),
      );
      return await tellReport(session, report, [into]);
    } finally {
      await into[Symbol.asyncDispose]();
    }
  } finally {
    await from[Symbol.asyncDispose]();
  }
}
