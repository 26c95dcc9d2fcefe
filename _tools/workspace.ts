/** What the root and the packages say about themselves. */

/** The root of the repository, ending in a slash. */
export const ROOT: string = new URL("..", import.meta.url).pathname;

/** One member of the workspace. */
export interface Package {
  /** The folder, relative to the root. */
  readonly folder: string;
  /** The name under which others import it. */
  readonly name: string;
  /** The version, the same for all. */
  readonly version: string;
  /** Entry points: `.` or `./name` to the file relative to the folder, `./file.ts`. */
  readonly exports: Readonly<Record<string, string>>;
}

/** Reads the `deno.json` of each member of the workspace. */
export function readPackages(): Package[] {
  const { workspace } = readJson<{ workspace: string[] }>("deno.json");
  return workspace.map((member) => {
    const folder = member.replace(/^\.\//, "");
    return {
      folder,
      ...readJson<Omit<Package, "folder">>(`${folder}/deno.json`),
    };
  });
}

/** What imports each package of npm, `npm:name@version`, by its name. */
export function npmImports(): Map<string, string> {
  const { imports } = readJson<{ imports: Record<string, string> }>(
    "deno.json",
  );
  return new Map(Object.entries(imports));
}

/** Lists the files that git would publish: tracked, or new and not ignored. */
export async function listFiles(): Promise<string[]> {
  const { success, stdout } = await new Deno.Command("git", {
    args: ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    cwd: ROOT,
  }).output();
  if (!success) throw new Error("Cannot list the files as git failed");
  const names = new TextDecoder().decode(stdout).split("\0");
  return [...new Set(names)].filter((name) => name !== "" && exists(name))
    .sort();
}

/** Reads a text file by its path below the root. */
export function readText(path: string): string {
  return Deno.readTextFileSync(ROOT + path);
}

/** Tells whether there is something at a path below the root. */
export function exists(path: string): boolean {
  try {
    Deno.lstatSync(ROOT + path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function readJson<T>(path: string): T {
  return JSON.parse(readText(path)) as T;
}
