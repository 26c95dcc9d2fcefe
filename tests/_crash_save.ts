// Saves a directory, and kills itself at a given moment: see crash_test.ts.
import { save } from "@snap/save";
import type { WriteStore } from "@snap/store";
import { type FileStore, openFileStore } from "@snap/store/file";
import { open } from "./_snapshots.ts";

/** What the program is told, as JSON in its one argument. */
export interface CrashPlan {
  readonly store: string;
  readonly source: string;
  readonly workers: number;
  /** Before and after each call that writes is a moment, from 1; 0 for none. */
  readonly killAt: number;
  readonly indexByteCount: number;
}

/** A store that ends the program at a moment. */
function deadly(store: FileStore, killAt: number): WriteStore {
  let moment = 0;
  const pass = (): void => {
    if (++moment === killAt) Deno.kill(Deno.pid, "SIGKILL");
  };
  const around = async <T>(write: () => Promise<T>): Promise<T> => {
    pass();
    const result = await write();
    pass();
    return result;
  };
  return {
    read: store.read.bind(store),
    size: store.size.bind(store),
    list: store.list.bind(store),
    localPath: store.localPath.bind(store),
    spoolPath: store.spoolPath.bind(store),
    create: (...args) => around(() => store.create(...args)),
    adopt: (...args) => around(() => store.adopt(...args)),
    sync: (...args) => around(() => store.sync(...args)),
  };
}

if (import.meta.main) {
  const plan: CrashPlan = JSON.parse(Deno.args[0]);
  const store = deadly(await openFileStore(plan.store), plan.killAt);
  await using snapshots = await open(store);
  const { workers, indexByteCount } = plan;
  console.log("begin");
  await save(snapshots, plan.source, { workers, indexByteCount });
  console.log("end");
}
