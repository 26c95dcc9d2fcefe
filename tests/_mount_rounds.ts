// Mounts and unmounts again and again in one program; counts what it holds early
// and late:
//   deno run -A tests/_mount_rounds.ts STORE ID MOUNTPOINT COUNT
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { mount } from "@snap/fuse";
import { parseId } from "@snap/hash";
import { wasmHasher } from "@snap/hash/wasm-hasher";
import { openFileStore } from "@snap/store/file";

/** Rounds until everything that stays for ever is there. */
const EARLY_COUNT = 10;

/** How long threads that were told to end may take, in milliseconds. */
const END_MS_MAX = 5_000;
const LOOK_MS = 5;

/** Threads of workers; the runtime's own come and go as it likes. */
function workerThreads(): string[] {
  return readdirSync("/proc/self/task").filter((task) =>
    nameOf(task).startsWith("worker")
  );
}

function nameOf(task: string): string {
  try {
    return readFileSync(`/proc/self/task/${task}/comm`, "utf8");
  } catch {
    return ""; // It has just ended.
  }
}

function childrenOf(task: string): string {
  try {
    return readFileSync(`/proc/self/task/${task}/children`, "utf8").trim();
  } catch {
    return "";
  }
}

/** What this program holds when its workers have ended, or will not end. */
async function held(): Promise<Record<string, number>> {
  for (let ms = 0; ms < END_MS_MAX && workerThreads().length > 0;) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    ms += LOOK_MS;
  }
  const tasks = readdirSync("/proc/self/task");
  return {
    descriptors: readdirSync("/proc/self/fd").length,
    workers: workerThreads().length,
    processes: tasks.map(childrenOf).filter(Boolean).length,
  };
}

const [path, id, mountpoint, count] = process.argv.slice(2);
const store = await openFileStore(path);
let early = await held();
for (let round = 1; round <= Number(count); round++) {
  const mounted = await mount(store, parseId(id), {
    mountpoint,
    hasher: wasmHasher,
  });
  const text = readFileSync(`${mountpoint}/text`, "utf8");
  if (text !== "text") throw new Error(`Cannot read: found ${text}`);
  await mounted.unmount();
  await mounted.finished;
  if (round === EARLY_COUNT) early = await held();
}
console.log(JSON.stringify({ early, late: await held() }));
