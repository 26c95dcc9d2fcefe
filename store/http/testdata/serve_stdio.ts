// Serves the folder that is named to whoever is on standard input and output.
import process from "node:process";
import { Readable, Writable } from "node:stream";
import { openFileStore } from "../../file/open_file_store.ts";
import { type Pipe, servePipe } from "../../serve/serve_pipe.ts";

const store = await openFileStore(process.argv[2], { create: true });
const pipe = {
  readable: Readable.toWeb(process.stdin),
  writable: Writable.toWeb(process.stdout),
} as unknown as Pipe;
await servePipe(store, pipe, { right: "append" });
