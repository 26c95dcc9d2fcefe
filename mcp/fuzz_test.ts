// Arguments that nobody meant, by seed: each is answered, and nothing but the root is touched.
import { deepEqual, ok } from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { seededTest } from "../tests/_prng.ts";
import type { Prng } from "../tests/_prng.ts";
import { McpScene } from "./_testing.ts";

const CALLS = 60;
const NAMES = [
  ...["directory", "message", "dryRun", "snapshot", "path", "pathBytes"],
  ...["limit", "cursor", "recursive", "pattern", "kind", "before", "after"],
  ...["attributes", "offset", "length", "other"],
];

/** A value that is sometimes what a field wants. */
function valueOf(prng: Prng, scene: McpScene): unknown {
  const texts = [
    ...["", ".", "..", "/", "a", "d", "d/b", "../store", "a\0b", "\ud800"],
    ...[
      "latest",
      "latest~1",
      "latest~999999999",
      "~",
      "x:y",
      "@",
      "0".repeat(64),
    ],
    ...["*", "[", "**/**/**", "\\", "file", "directory", "/w==", "e30=", "%FF"],
    ...["a/".repeat(2000), "*".repeat(1000), "é".repeat(300)],
    ...[scene.at(), scene.at("d"), scene.folder.path, `${scene.at()}//./d/`],
  ];
  return prng.pick<() => unknown>([
    () => prng.pick(texts),
    () => prng.pick(texts),
    () => prng.pick(texts),
    () => prng.pick([0, 1, -1, 0.5, 1e308, 2 ** 53, 1000, 1001, -0]),
    () => prng.pick([true, false, null]),
    () => prng.pick([[], {}, ["a"], { __proto__: null, a: 1 }]),
  ])();
}

/** What lies beside the root. */
function besideOf({ folder }: McpScene): string[] {
  return readdirSync(folder.path).sort();
}

seededTest(
  "mcp: whatever the arguments, an answer or a refusal in words",
  async (prng) => {
    await using scene = await McpScene.make();
    mkdirSync(scene.at("d"));
    writeFileSync(scene.at("d/b"), "b");
    writeFileSync(scene.at("a"), "a");
    writeFileSync(scene.folder.join("kept"), "kept");
    await scene.call("save");
    const beside = besideOf(scene);
    const { tools } = await scene.client.listTools();
    for (let i = 0; i < CALLS; i++) {
      const { name, inputSchema } = prng.pick(tools);
      const own = Object.keys(inputSchema.properties ?? {});
      const args: Record<string, unknown> = {};
      for (const one of inputSchema.required as string[] ?? []) {
        if (prng.below(8) > 0) {
          args[one] = prng.pick([
            "latest",
            valueOf(prng, scene),
          ]);
        }
      }
      for (let count = prng.below(4); count > 0; count--) {
        const field = prng.below(6) > 0 ? prng.pick(own) : prng.pick(NAMES);
        args[field] = valueOf(prng, scene);
      }
      const said = JSON.stringify([name, args]);
      const { isError, content } = await scene.client.callTool({
        name,
        arguments: args,
      });
      if (!isError) continue;
      const [{ text }] = content as { text: string }[];
      ok(/^(Cannot|Input validation error)/.test(text), `${said}: ${text}`);
      ok(
        !/error in the program|^Cannot open directory \/proc/.test(text),
        `${said}: ${text}`,
      );
    }
    deepEqual(besideOf(scene), beside);
    deepEqual(readFileSync(scene.folder.join("kept"), "utf8"), "kept");
    deepEqual(readdirSync(scene.at(), { recursive: true }).sort(), [
      "a",
      "d",
      "d/b",
    ]);
  },
  { roundCount: 5 },
);
