// The real snapdir, whose Python package has all that its command has.
import { execFile } from "node:child_process";
import process from "node:process";
import { promisify } from "node:util";

/** A program of Python that calls one function of snapdir, and prints what it gives. */
export const SNAPDIR_SCRIPT = `
import asyncio, os, sys, snapdir
name, *args = sys.argv[1:]
async def main():
    kinds = {
        "push": (str, snapdir.StoreUri),
        "pull": (snapdir.SnapshotId, snapdir.StoreUri, str),
        "verify": (snapdir.SnapshotId, snapdir.StoreUri),
        "manifest": (str,),
        "id": (str,),
    }[name]
    options = {"no_follow": True} if len(args) > len(kinds) else {}
    values = [kind(arg) for kind, arg in zip(kinds, args)]
    result = await getattr(snapdir, name)(*values, **options)
    print(result.raw if name == "manifest" else result, flush=True)
    # Its threads may crash a Python that ends while they run.
    os._exit(0)
asyncio.run(main())
`;

/** Whether tests by the real snapdir are to be left out, as it is not installed here. */
export function lacksSnapdir(): boolean {
  return process.env.CI === undefined &&
    process.env.SNAP_SNAPDIR_PYTHON === undefined;
}

/** Functions of snapdir; `no_follow` behind the arguments leaves links out. */
export type SnapdirCall = "push" | "pull" | "verify" | "manifest" | "id";

/**
 * Calls the real snapdir, with a folder of its own for what it keeps.
 *
 * @param home The folder.
 * @param env What it has to know besides.
 * @returns What it prints.
 */
export async function realSnapdir(
  home: string,
  env: Readonly<Record<string, string>>,
  ...call: [SnapdirCall, ...string[]]
): Promise<string> {
  const python = process.env.SNAP_SNAPDIR_PYTHON;
  if (python === undefined) throw new Error("Set SNAP_SNAPDIR_PYTHON");
  const { stdout } = await promisify(execFile)(
    python,
    ["-c", SNAPDIR_SCRIPT, ...call],
    { env: { ...env, HOME: home, XDG_CACHE_HOME: home }, maxBuffer: 1 << 28 },
  );
  return stdout.trimEnd();
}
