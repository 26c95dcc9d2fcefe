/**
 * An agent at work: a client of the SDK saves a project by `snap mcp`, breaks it, and brings it
 * back, ten times; medians of each step.
 *
 * `deno run -A bench/mcp_bench.ts`; `--small` only shows that it runs.
 *
 * @module
 */
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { deepStrictEqual } from "node:assert/strict";
import { join } from "node:path";
import { describeMachine } from "./_machine.ts";
import { renderLines } from "./_table.ts";
import { makeSourceTree } from "./_source_tree.ts";
import { withFolder } from "./_folder.ts";

const ROUNDS = 10;
/** Files that are changed in each round. */
const BROKEN = 20;
const MAIN = new URL("../cli/main.ts", import.meta.url).pathname;
const SIZES = {
  full: { fileCount: 20_591, byteCount: 374e6 },
  small: { fileCount: 200, byteCount: 1e6 },
} as const;

/** A client, and what its calls took. */
class Agent {
  readonly #client = new Client({ name: "bench", version: "0" });
  readonly #milliseconds = new Map<string, number[]>();

  async start(root: string, store: string): Promise<void> {
    const args = ["run", "-A", MAIN, "mcp", "--root", root, "--store", store];
    const env = Deno.env.toObject();
    const command = Deno.execPath();
    await this.#timed(
      "start",
      () =>
        this.#client.connect(new StdioClientTransport({ command, args, env })),
    );
  }

  /** Calls a tool; `step` names the row of the table. */
  async call(
    step: string,
    name: string,
    args: Record<string, unknown>,
  ): Promise<Record<string, unknown>> {
    const { isError, content, structuredContent } = await this.#timed(
      step,
      () => this.#client.callTool({ name, arguments: args }),
    );
    if (isError) throw new Error(JSON.stringify(content));
    return structuredContent as Record<string, unknown>;
  }

  async close(): Promise<void> {
    await this.#client.close();
  }

  /** Rows of a table: median and longest of each step. */
  rows(): string[][] {
    return [...this.#milliseconds].map(([step, all]) => {
      const sorted = all.toSorted((a, b) => a - b);
      const median = sorted[sorted.length >> 1];
      return [
        step,
        `${median.toFixed(0)} ms`,
        `${sorted.at(-1)!.toFixed(0)} ms`,
      ];
    });
  }

  async #timed<T>(step: string, run: () => Promise<T>): Promise<T> {
    const startMs = performance.now();
    const result = await run();
    const all = this.#milliseconds.get(step) ?? [];
    this.#milliseconds.set(step, [...all, performance.now() - startMs]);
    return result;
  }
}

/** Changes some files, removes some, and adds some: all over the tree. */
function breakTree(files: readonly string[], round: number): void {
  for (let i = 0; i < BROKEN; i++) {
    const path = files[(i * 7919 + round * 104_729) % files.length];
    if (i % 4 === 0) Deno.writeTextFileSync(`${path}.new`, `round ${round}`);
    else if (i % 4 === 1) Deno.removeSync(path);
    else Deno.writeTextFileSync(path, `broken in round ${round}`);
  }
}

function filesBelow(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap((one) =>
    one.isDirectory
      ? filesBelow(join(folder, one.name))
      : one.isFile
      ? [join(folder, one.name)]
      : []
  ).sort();
}

async function run(folder: string, size: "full" | "small"): Promise<string> {
  const [root, store] = [join(folder, "project"), join(folder, "store")];
  makeSourceTree(root, SIZES[size]);
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", MAIN, "init", store],
  }).output();
  if (!success) throw new Error("Cannot make a store");
  const files = filesBelow(root);
  const agent = new Agent();
  await agent.start(root, store);
  try {
    const { id } = await agent.call("first save", "save", {});
    for (let round = 0; round < ROUNDS; round++) {
      await agent.call("save, nothing changed", "save", {});
      breakTree(files, round);
      await agent.call("diff with the directory", "diff", { before: id });
      await agent.call("save of what broke", "save", {});
      await agent.call("restore", "restore", { snapshot: id });
      const last = await agent.call("save of what was restored", "save", {});
      deepStrictEqual(last.id, id);
      await agent.call("read a file", "read", {
        snapshot: id,
        path: files[0].slice(root.length + 1),
      });
      await agent.call("list", "list", {});
    }
  } finally {
    await agent.close();
  }
  const head = ["step", "median", "longest"];
  return `${files.length} files, ${ROUNDS} rounds, ${BROKEN} files broken in each; ${describeMachine()}\n\n${
    renderLines([head, ...agent.rows()])
  }`;
}

const size = Deno.args.includes("--small") ? "small" : "full";
console.log(await withFolder((folder) => run(folder, size)));
