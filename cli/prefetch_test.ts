import { deepStrictEqual } from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";

Deno.test("prefetchCommands names all that is loaded by a computed name", () => {
  const files = (readdirSync(new URL(".", import.meta.url), {
    recursive: true,
  }) as string[]).filter((name) => /(?<!_test)\.ts$/.test(name));
  const textOf = (name: string): string =>
    readFileSync(new URL(name, import.meta.url), "utf8");
  const late = files.flatMap((name) =>
    Array.from(
      textOf(name).matchAll(/loadLate\(\s*"([^"]+)"/g),
      ([, path]) => `./${path}.ts`,
    )
  );
  const commands = files.filter((name) => name.startsWith("commands/"));
  const expected = new Set([...late, ...commands.map((name) => `./${name}`)]);
  const named = Array.from(
    textOf("prefetch.ts").matchAll(/import\("(.+)"\)/g),
    ([, path]) => path,
  );
  deepStrictEqual(named.sort(), [...expected].sort());
});
