// The release task, in a copy of the repository.
import { deepEqual, equal, match, throws } from "node:assert/strict";
import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { nextVersion } from "../_tools/release.ts";
import { listFiles, readPackages, ROOT } from "../_tools/workspace.ts";
import { TemporaryFolder } from "./_snapshots.ts";

/** A copy of all that is not there for tests alone. */
class Copy implements Disposable {
  readonly folder = new TemporaryFolder();

  static async make(): Promise<Copy> {
    const copy = new Copy();
    for (const path of await listFiles()) {
      if (/_test\.ts$|(^|\/)testdata\//.test(path)) continue;
      mkdirSync(dirname(copy.folder.join(path)), { recursive: true });
      copyFileSync(join(ROOT, path), copy.folder.join(path));
    }
    for (const name of copy.changes()) Deno.removeSync(copy.change(name));
    copy.write("CHANGELOG.md", "# Changelog\n");
    return copy;
  }

  change(name: string): string {
    return this.folder.join("changes", name);
  }

  changes(): string[] {
    return readdirSync(this.folder.join("changes"))
      .filter((name) => name !== "README.md");
  }

  write(path: string, text: string): void {
    writeFileSync(this.folder.join(path), text);
  }

  read(path: string): string {
    return readFileSync(this.folder.join(path), "utf8");
  }

  /** Runs a task; gives its last line and what it said about errors. */
  async run(...args: string[]) {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["task", "--quiet", ...args],
      cwd: this.folder.path,
      env: { NO_COLOR: "1" },
    }).output();
    const [out, error] = [stdout, stderr].map((bytes) =>
      new TextDecoder().decode(bytes).trimEnd()
    );
    return { code, out, error };
  }

  [Symbol.dispose](): void {
    this.folder[Symbol.dispose]();
  }
}

const [{ version: VERSION }] = readPackages();
const MINOR = nextVersion(VERSION, "minor");

Deno.test("release raises every version and writes the changelog out of the changes", async () => {
  using copy = await Copy.make();
  copy.write("changes/b.md", "The second change,\non two lines.\n");
  copy.write("changes/a.md", "The first change.\n");
  const { code, out, error } = await copy.run("release", "minor");
  deepEqual([code, out], [0, MINOR], error);
  for (const { folder } of readPackages()) {
    const { version } = JSON.parse(copy.read(`${folder}/deno.json`));
    equal(version, MINOR, folder);
  }
  equal(
    (await copy.run("snap", "version")).out.split("\n")[0].includes(MINOR),
    true,
  );
  const day = new Date().toISOString().slice(0, 10).replace(/\d$/, "");
  const heading = `## ${MINOR} (${day}`;
  const first = copy.read("CHANGELOG.md");
  equal(first.slice(0, 13 + heading.length), `# Changelog\n\n${heading}`);
  match(
    first,
    /\d\)\n\n- The first change\.\n- The second change,\n {2}on two lines\.\n$/,
  );
  deepEqual(copy.changes(), []);

  copy.write("changes/c.md", "A repair.");
  const patch = nextVersion(MINOR, "patch");
  equal((await copy.run("release", "patch")).out, patch);
  const [title, newer, ...rest] = copy.read("CHANGELOG.md").split(/\n(?=## )/);
  equal(title, "# Changelog\n");
  match(newer, /\)\n\n- A repair\.\n$/);
  equal(`${title}\n${rest.join("\n")}`, first);
});

Deno.test("release writes nothing if anything is amiss", async () => {
  using copy = await Copy.make();
  const refuses = async (to: string, message: RegExp): Promise<void> => {
    const before = copy.read("CHANGELOG.md");
    const { code, out, error } = await copy.run("release", to);
    deepEqual([code, out], [1, ""]);
    match(error, message);
    equal(copy.read("CHANGELOG.md"), before);
    match(copy.read("hash/deno.json"), new RegExp(`"${VERSION}"`));
  };
  await refuses("patch", /^Cannot release as changes\/ has no change$/m);
  copy.write("changes/a.md", "A change.");
  await refuses("", /a version from .* is needed: found$/);
  copy.write("CHANGELOG.md", `# Changelog\n\n## ${MINOR} (2026-11-20)\n`);
  await refuses(
    "minor",
    /^Cannot release \S+ as CHANGELOG\.md has it already$/m,
  );
  copy.write("store/deno.json", "{}");
  await refuses(VERSION, /^Cannot release as store\/deno\.json needs one /m);
  deepEqual(copy.changes(), ["a.md"]);
});

Deno.test("nextVersion raises one number and clears those after it", () => {
  equal(nextVersion("1.9.9", "patch"), "1.9.10");
  equal(nextVersion("1.9.9", "minor"), "1.10.0");
  equal(nextVersion("1.9.9", "major"), "2.0.0");
  equal(nextVersion("0.1.0", "0.1.0"), "0.1.0");
  equal(nextVersion("0.9.0", "0.10.0"), "0.10.0");
  for (const to of ["0.8.9", "1", "1.0", "v1.0.0", "1.0.0-rc", "01.0.0", "x"]) {
    throws(() => nextVersion("0.9.0", to), RangeError, to);
  }
});
