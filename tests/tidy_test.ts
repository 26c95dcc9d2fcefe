import { deepStrictEqual } from "node:assert/strict";
import {
  cycleProblems,
  entryPointProblems,
  fileProblems,
  flagProblems,
  frontDoorProblems,
  linkProblems,
  type TextFile,
  titleProblems,
  versionProblems,
  wordProblems,
} from "../_tools/tidy.ts";
import {
  exists,
  listFiles,
  type Package,
  readPackages,
  readText,
  ROOT,
} from "../_tools/workspace.ts";

const packages = readPackages();
const paths = await listFiles();

/** Reads the files whose path matches. */
function files(pattern: RegExp): TextFile[] {
  return paths.filter((path) => pattern.test(path))
    .map((path) => ({ path, text: readText(path) }));
}

function holds<T>(items: readonly T[], check: (item: T) => string[]): void {
  deepStrictEqual(items.flatMap(check), []);
}

Deno.test("tidy: every public source file is an entry point", () => {
  holds(packages, (one) => entryPointProblems(one, paths));
});

Deno.test("tidy: mod.ts re-exports or mentions every entry point for all", () => {
  holds(packages, (one) => {
    const path = `${one.folder}/mod.ts`;
    const door = exists(path) ? readText(path) : "";
    return frontDoorProblems({ ...one, exports: openExports(one) }, door);
  });
});

/** Entry points whose comment does not say that they are for the packages of snap alone. */
function openExports({ folder, exports }: Package): Record<string, string> {
  return Object.fromEntries(
    Object.entries(exports).filter(([, file]) => {
      const [comment] = readText(`${folder}/${file.slice(2)}`).split("*/");
      return !/^ \* @internal$/m.test(comment);
    }),
  );
}

Deno.test("tidy: the root mod.ts has every package", () => {
  const exported = readText("mod.ts").matchAll(/^export .* from "(.*)";$/gm);
  deepStrictEqual(
    Array.from(exported, ([, name]) => name).sort(),
    packages.map(({ name }) => name).sort(),
  );
});

/** Files that still import each other in a circle. */
const CIRCLES = /^pack\/read\/(content_reader|recipe_rows|store_reader)\.ts /;

Deno.test("tidy: no imports in a circle, types included", () => {
  deepStrictEqual(
    cycleProblems(files(/\.ts$/)).filter((line) => !CIRCLES.test(line)),
    [],
  );
});

Deno.test("tidy: a circle of imports is found", () => {
  const text = (name: string) => `import type { A } from "./${name}.ts";\n`;
  const planted = [
    { path: "a/top.ts", text: text("one") },
    { path: "a/one.ts", text: text("two") },
    { path: "a/two.ts", text: text("one") + text("low") },
    { path: "a/low.ts", text: "" },
  ];
  deepStrictEqual(cycleProblems(planted), [
    "a/one.ts imports itself by way of others",
    "a/two.ts imports itself by way of others",
  ]);
});

Deno.test("tidy: packages have one version", () => {
  deepStrictEqual(versionProblems(packages), []);
});

Deno.test("tidy: posix takes flags from node:fs", () => {
  holds(files(/^posix\/(?!.*_test\.ts$).*\.ts$/), flagProblems);
});

Deno.test("tidy: a document has one title", () => {
  holds(files(/^(docs\/.*|README|CONTRIBUTING)\.md$/), titleProblems);
});

Deno.test("tidy: files that a document names are there", () => {
  const folders = packages.map(({ folder }) => folder)
    .concat("_tools", "bench", "tests", "examples");
  holds(
    files(/^(.*\/)?[^/]*\.md$/),
    (file) => fileProblems(file, folders, exists),
  );
});

Deno.test("tidy: nothing speaks of the machine it was made on", () => {
  holds(files(/(\.(ts|md|json)|^\.ci\/run)$/), wordProblems);
});

Deno.test("tidy: relative links lead somewhere", () => {
  const read = (path: string): string | undefined => {
    if (!exists(path)) return undefined;
    return Deno.statSync(ROOT + path).isFile ? readText(path) : "";
  };
  holds(files(/^(.*\/)?[^/]*\.md$/), (file) => linkProblems(file, read));
});
