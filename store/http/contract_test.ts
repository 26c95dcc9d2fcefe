// The suite that every store passes, over both carriers.
import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { openFileStore } from "../file/open_file_store.ts";
import { MemoryStore } from "../memory/memory_store.ts";
import { serveStore } from "../serve/mod.ts";
import { servePipe } from "../serve/serve_pipe.ts";
import { listen } from "../serve/testdata/listen.ts";
import { pipePair } from "../serve/testdata/pipes.ts";
import { makeFastFolder } from "../testdata/fast_folder.ts";
import { type TestedStore, testStore } from "../testing/test_store.ts";
import { openHttpStore } from "./http_store.ts";
import { openPipeStore } from "./pipe_store.ts";

const spoolFolder = tmpdir();
const TOKEN = "a-token-that-may-prune";

testStore("HTTP store over a folder", async (): Promise<TestedStore> => {
  const folder = makeFastFolder();
  const inner = await openFileStore(`${folder}/store`, { create: true });
  const served = await listen(serveStore(inner, {
    access: { tokens: [{ token: TOKEN, right: "prune" }] },
    base: "/some/where/",
  }));
  return {
    store: await openHttpStore(`${served.url}some/where`, {
      token: TOKEN,
      spoolFolder: folder,
    }),
    async [Symbol.asyncDispose]() {
      await served[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
});

if ("serve" in Deno) {
  testStore(
    "HTTP store in memory by Deno.serve",
    async (): Promise<TestedStore> => {
      const handler = serveStore(new MemoryStore(), {
        access: { loopback: "prune" },
      });
      const server = Deno.serve({ port: 0, onListen: () => {} }, handler);
      return {
        store: await openHttpStore(`http://localhost:${server.addr.port}`, {
          spoolFolder,
        }),
        async [Symbol.asyncDispose]() {
          await server.shutdown();
        },
      };
    },
  );
}

testStore("Pipe store", async (): Promise<TestedStore> => {
  const { near, far } = pipePair();
  const served = servePipe(new MemoryStore(), far, { right: "prune" });
  const store = await openPipeStore(near, { spoolFolder });
  return {
    store,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await served;
    },
  };
});
