import { execFileSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";

/** Programs whose lock files name the crates: a version that is out is never another. */
const PROGRAMS = [
  "backpak@0.3.0",
  "bupstash@0.12.0",
  "chkpt-cli@0.3.0",
  "snapdir@1.12.1",
] as const;

/**
 * Unpacks the sources of the crates that four programs are built of, each in a
 * folder named after it and its version: 783 crates, the same on every machine.
 * What is not in the cache of `cargo` comes from its registry.
 *
 * @param root The folder, which `cargo` makes.
 */
export function makeCratesTree(root: string): void {
  for (const name of PROGRAMS) {
    cargo("info", "-q", "--registry", "crates-io", name);
    const flags = ["-q", "--locked", "--versioned-dirs", "--no-delete"];
    const manifest = `${sourceOf(name.replace("@", "-"))}/Cargo.toml`;
    cargo("vendor", ...flags, "--manifest-path", manifest, root);
  }
}

function cargo(...args: string[]): void {
  execFileSync("cargo", args, { stdio: ["ignore", "ignore", "inherit"] });
}

/** Finds what `cargo` has unpacked. */
function sourceOf(name: string): string {
  const home = process.env.CARGO_HOME ?? join(homedir(), ".cargo");
  const sources = join(home, "registry/src");
  const found = readdirSync(sources)
    .map((registry) => join(sources, registry, name)).find((path) =>
      existsSync(path)
    );
  if (found === undefined) {
    throw new Error(`Cannot find the source of ${name} in ${sources}`);
  }
  return found;
}
