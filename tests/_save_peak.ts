// Saves a directory into a store that is there, and prints the most memory that it took, in KiB.
import { readFileSync } from "node:fs";
import { openFileStore } from "@snap/store/file";
import { save } from "@snap/save";
import { LATER } from "./_saves.ts";
import { open } from "./_snapshots.ts";

const [storePath, source] = Deno.args;
await using snapshots = await open(await openFileStore(storePath));
await save(snapshots, source, LATER);
const status = readFileSync("/proc/self/status", "utf8");
console.log(/^VmHWM:\s+(\d+) kB$/m.exec(status)![1]);
