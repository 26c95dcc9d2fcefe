// `snap mcp` as agents run it: the real program at the other end of a pipe.
import { deepEqual, equal, ok } from "node:assert/strict";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { verify } from "@snap/snapshot/verify";
import { openFileStore } from "@snap/store/file";
import { startClient, startRaw } from "./_mcp_client.ts";
import {
  leftovers,
  makeSnapshots,
  noise,
  open,
  TemporaryFolder,
} from "./_snapshots.ts";

/** Bytes that take a save a while. */
const LARGE = 64 * 1024 * 1024;
const INITIALIZE = {
  jsonrpc: "2.0",
  id: 0,
  method: "initialize",
  params: {
    protocolVersion: "2025-11-25",
    capabilities: {},
    clientInfo: { name: "raw", version: "0" },
  },
};

/** Registers a test; the client of the SDK leaves a timer behind when it closes. */
function programTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, fn, sanitizeOps: false, sanitizeResources: false });
}

/** A root, a store, and the arguments of a server of both. */
class Scene implements AsyncDisposable {
  readonly folder = new TemporaryFolder();
  readonly root: string = this.folder.join("root");
  readonly store: string = this.folder.join("store");
  readonly args: readonly string[] = [
    "--root",
    this.root,
    "--store",
    this.store,
  ];

  static async make(): Promise<Scene> {
    const scene = new Scene();
    mkdirSync(scene.root);
    const snapshots = await makeSnapshots(scene.store);
    await snapshots[Symbol.asyncDispose]();
    return scene;
  }

  /** Sees that all that the store has is whole, and that nothing waits to be stored. */
  async check(recordCount: number): Promise<void> {
    const store = await openFileStore(this.store);
    await using snapshots = await open(store);
    equal((await snapshots.records()).length, recordCount);
    deepEqual((await verify(snapshots, { data: true })).damages, []);
    deepEqual(leftovers(store), []);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Promise.resolve(this.folder[Symbol.dispose]());
  }
}

programTest(
  "mcp program: a project is saved, broken and restored, and stderr says nothing",
  async () => {
    await using scene = await Scene.make();
    for (let i = 0; i < 50; i++) {
      writeFileSync(join(scene.root, `${i}`), `${i}`);
    }
    const started = await startClient(scene.args);
    const { client } = started;
    const call = async (name: string, args: Record<string, unknown> = {}) => {
      const { structuredContent } = await client.callTool({
        name,
        arguments: args,
      });
      return structuredContent as Record<string, unknown>;
    };
    const { id } = await call("save");
    const names = readdirSync(scene.root).sort();
    for (let round = 0; round < 10; round++) {
      rmSync(join(scene.root, `${round}`));
      writeFileSync(join(scene.root, `new${round}`), "new");
      equal((await call("restore", { snapshot: id })).errorCount, 0);
      deepEqual(readdirSync(scene.root).sort(), names);
    }
    await client.close();
    equal(started.stderr(), "");
    await scene.check(11);
  },
);

programTest(
  "mcp program: a message that is none is passed over, and stdout has nothing but answers",
  async () => {
    await using scene = await Scene.make();
    const child = startRaw(scene.args);
    const writer = child.stdin.getWriter();
    const lines = [
      "no json",
      "[]",
      '{"jsonrpc":"2.0"}',
      JSON.stringify(INITIALIZE),
      '{"jsonrpc":"2.0","method":"notifications/initialized"}',
      '{"jsonrpc":"2.0","id":1,"method":"none"}',
      '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"list","arguments":{}}}',
    ];
    const output = new Response(child.stdout).text();
    const errors = new Response(child.stderr).text();
    await writer.write(new TextEncoder().encode(`${lines.join("\n")}\n`));
    // A call is aborted when the input ends: the answer has to come first.
    await using client = await startClient([...scene.args, "--read-only"]);
    await client.client.callTool({ name: "list", arguments: {} });
    await writer.close();
    equal((await child.status).code, 0, await errors);
    for (const line of (await output).trim().split("\n")) {
      equal(JSON.parse(line).jsonrpc, "2.0", line);
    }
  },
);

for (const mode of ["legacy", { pin: "2026-07-28" }] as const) {
  programTest(
    `mcp program: roots of a client count, protocol ${JSON.stringify(mode)}`,
    async () => {
      await using scene = await Scene.make();
      const inside = join(scene.root, "inside");
      mkdirSync(inside);
      await using started = await startClient(scene.args, {
        roots: [inside],
        versionNegotiation: { mode },
      });
      const call = (args: Record<string, unknown>) =>
        started.client.callTool({ name: "save", arguments: args });
      const { structuredContent } = await call({});
      equal((structuredContent as { directory: string }).directory, inside);
      const { isError, content } = await call({ directory: scene.root });
      equal(isError, true, JSON.stringify(content));
      equal(started.stderr(), "");
    },
  );
}

for (const how of ["input ends", "SIGTERM", "output is closed"] as const) {
  programTest(
    `mcp program: when ${how} in the middle of a save, it ends and leaves nothing half`,
    async () => {
      await using scene = await Scene.make();
      for (let i = 0; i < 4; i++) {
        writeFileSync(join(scene.root, `${i}`), noise(LARGE / 4, i + 1));
      }
      const child = startRaw([...scene.args, "--workers", "2"]);
      const writer = child.stdin.getWriter();
      const send = (message: unknown): Promise<void> =>
        writer.write(new TextEncoder().encode(`${JSON.stringify(message)}\n`));
      await send(INITIALIZE);
      await send({
        jsonrpc: "2.0",
        id: 1,
        method: "tools/call",
        params: {
          name: "save",
          arguments: {},
          _meta: { progressToken: 1 },
        },
      });
      const reader = child.stdout.pipeThrough(new TextDecoderStream())
        .getReader();
      for (let said = ""; !said.includes("notifications/progress");) {
        const { value, done } = await reader.read();
        ok(!done, said);
        said += value;
        ok(!said.includes('"totals"'), "the save was over before it was ended");
      }
      const errors = new Response(child.stderr).text();
      if (how === "SIGTERM") child.kill("SIGTERM");
      else if (how === "input ends") await writer.close();
      else await reader.cancel();
      if (how === "output is closed") {
        await send({ jsonrpc: "2.0", id: 2, method: "ping" }).catch(() => {});
      }
      const { code } = await child.status;
      equal(code, how === "SIGTERM" ? 143 : 0, await errors);
      if (how !== "input ends") await writer.close().catch(() => {});
      await reader.cancel();
      await scene.check(0);
    },
  );
}
