// Saves whose syncs fail, one after the other: a failed sync is final.
import { deepEqual, equal, ok } from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openFileStore } from "@snap/store/file";
import type { CrashPlan } from "./_crash_save.ts";
import {
  leftovers,
  makeFileStore,
  namesIn,
  noise,
  open,
  readEverything,
  SMALL_SETTINGS,
  TemporaryFolder,
} from "./_snapshots.ts";
import { saveAndCompare } from "./_saves.ts";

const PROGRAM = new URL("./_crash_save.ts", import.meta.url).pathname;
const STRACE = "/usr/bin/strace";

/** Whether calls of the system can be made to fail. */
function hasStrace(): boolean {
  try {
    const args = ["-f", "-o", "/dev/null", "true"];
    return new Deno.Command(STRACE, { args, stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
}

/** Saves with the sync of a number that fails in each thread; gives what was said. */
async function saveWith(
  plan: CrashPlan,
  number: number,
  code: string,
): Promise<{ success: boolean; text: string }> {
  const args = [
    "-f",
    "-qq",
    "-o",
    "/dev/null",
    "-e",
    "trace=fsync,fdatasync",
    "-e",
    `inject=fsync,fdatasync:error=${code}:when=${number}`,
    Deno.execPath(),
    "run",
    "-A",
    "--no-check",
    PROGRAM,
    JSON.stringify(plan),
  ];
  const { success, stderr } = await new Deno.Command(STRACE, { args }).output();
  return { success, text: new TextDecoder().decode(stderr) };
}

for (
  const [code, workers, step] of [["EIO", 0, 2], ["ENOSPC", 2, 3]] as const
) {
  Deno.test(
    `save survives every sync that fails: ${code}, ${workers} workers`,
    {
      ignore: !hasStrace(),
    },
    async () => {
      using folder = new TemporaryFolder();
      const source = folder.join("source");
      mkdirSync(source);
      for (let i = 0; i < 300; i++) {
        writeFileSync(join(source, `${i}`), noise(300 + i, i + 1));
      }
      let failed = 0;
      for (let number = 1;; number += step) {
        const path = folder.join("store");
        await makeFileStore(path, SMALL_SETTINGS);
        const plan = {
          store: path,
          source,
          workers,
          killAt: 0,
          indexByteCount: 2 ** 30,
        };
        const { success, text } = await saveWith(plan, number, code);
        const store = await openFileStore(path);
        const records = await namesIn(store, "snapshots/");
        equal(records.length, success ? 1 : 0, text);
        if (!success) ok(text.includes(`(${code})`), text);
        deepEqual(leftovers(store), []);
        await using snapshots = await open(store);
        await readEverything(snapshots);
        await saveAndCompare(snapshots, source);
        rmSync(path, { recursive: true });
        if (success) break;
        failed++;
      }
      ok(failed >= 2, `${failed} saves failed`);
    },
  );
}
