// docs/DEPENDENCIES.md against the lock file, the sources and what was downloaded.
import { deepEqual, equal, ok } from "node:assert/strict";
import { existsSync, lstatSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { listFiles, readText } from "../_tools/workspace.ts";

interface Row {
  readonly name: string;
  readonly version: string;
  readonly licence: string;
  readonly size: string;
}

interface Lock {
  readonly npm: Record<string, { readonly optionalDependencies?: string[] }>;
}

const TEXT = readText("docs/DEPENDENCIES.md");
const PLATFORM = /-(android|darwin|freebsd|linux|openbsd|win32)-/;

/** The cells of the rows of every table that begins with this column. */
function tableRows(column: string): string[][] {
  const tables = TEXT.split("\n\n").filter((part) =>
    new RegExp(`^\\| ${column} +\\|`).test(part)
  );
  return tables.flatMap((table) =>
    table.trim().split("\n").slice(2).map((line) =>
      line.split("|").slice(1, -1).map((cell) => cell.trim())
    )
  );
}

const rows: Row[] = tableRows("package")
  .map(([name, version, licence, size]) => ({ name, version, licence, size }));

/** What the lock file pins, without native code for one platform. */
function lockedPackages(): string[] {
  const { npm } = JSON.parse(readText("deno.lock")) as Lock;
  const native = new Set(
    Object.values(npm).flatMap((one) => one.optionalDependencies ?? []),
  );
  return Object.keys(npm)
    // What a package finds beside itself stands behind its version.
    .map((pin) => pin.replace(/_.*$/, ""))
    .filter((pin) => !native.has(pin.slice(0, pin.lastIndexOf("@"))));
}

/** Every package and version that a source names, as in `npm:name@version`. */
async function namedPackages(): Promise<string> {
  const texts = (await listFiles())
    .filter((path) => /\.(ts|json|md)$|^\.ci\/run$/.test(path))
    .filter((path) => !/^docs\/DEPENDENCIES|dependencies_test/.test(path))
    .map(readText);
  return texts.join("\n");
}

Deno.test("dependencies: each package of the lock file has a row", () => {
  const pins = new Set(rows.map(({ name, version }) => `${name}@${version}`));
  deepEqual(lockedPackages().filter((pin) => !pins.has(pin)), []);
});

Deno.test("dependencies: each row is of a package that the sources name", async () => {
  const locked = lockedPackages();
  const text = await namedPackages();
  for (const { name, version } of rows) {
    if (locked.includes(`${name}@${version}`)) continue;
    const named = PLATFORM.test(name) ||
      text.includes(`${name}@${version}`) ||
      text.includes(`${name}: "${version}"`);
    ok(named, `${name} ${version}`);
  }
});

Deno.test("dependencies: licences and sizes are those of what was downloaded", async () => {
  const cache = await npmCache();
  let checked = 0;
  for (const { name, version, licence, size } of rows) {
    const folder = join(cache, name, version);
    if (!existsSync(join(folder, "package.json"))) continue;
    const { license } = JSON.parse(
      readFileSync(join(folder, "package.json"), "utf8"),
    );
    equal(licence, license, name);
    if (size.endsWith(" kB")) {
      equal(size, `${Math.round(folderSize(folder) / 1000)} kB`, name);
    }
    checked++;
  }
  ok(checked >= 3, `${checked} packages`);
});

Deno.test("dependencies: each Debian package that is installed has a row", () => {
  const [, names] = /^PACKAGES=\((.*)\)$/m.exec(readText(".ci/run"))!;
  const told = tableRows("Debian package").flatMap(([cell]) =>
    cell.split(", ")
  );
  deepEqual(told.sort(), names.split(" ").sort());
});

/** Where Deno keeps what it downloads from npm. */
async function npmCache(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json"],
  }).output();
  const { npmCache } = JSON.parse(new TextDecoder().decode(stdout));
  const [registry] = readdirSync(npmCache);
  return join(npmCache, registry);
}

/** The bytes of all files, without what Deno puts beside them. */
function folderSize(folder: string): number {
  return readdirSync(folder, { recursive: true })
    .map((name) => lstatSync(join(folder, name as string)))
    .filter((stats) => stats.isFile())
    .reduce((sum, { size }) => sum + size, 0);
}
