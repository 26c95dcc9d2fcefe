// Makes a store with a few files under a given umask.
import { writeFileSync } from "node:fs";
import process from "node:process";
import { openFileStore } from "../file/open_file_store.ts";
import { initStore } from "../format/store_config.ts";

const [path, umask] = process.argv.slice(2);
process.umask(parseInt(umask, 8));
const store = await openFileStore(path, { create: true });
await initStore(store, {});
await store.create("packs/ab/one", new Uint8Array(3));
await store.create("gc/void/one", new Uint8Array(3));
const spool = await store.spoolPath("0".repeat(32));
writeFileSync(spool, new Uint8Array(3), { mode: 0o666 });
await store.adopt("packs/ab/two", spool);
