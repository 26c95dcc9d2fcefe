/** What a package may import from one other package: everything, types only, or some entry points. */
type Reach = "all" | "types" | readonly string[];

/**
 * Which package may import which. A package that stands on the same line as
 * another in docs/ARCHITECTURE.md never appears beside it here.
 */
const REACH: Readonly<Record<string, Readonly<Record<string, Reach>>>> = {
  hash: {},
  posix: {},
  manifest: { hash: "all" },
  store: { hash: "all", posix: "all" },
  pack: { store: "all", hash: "all", posix: ["pacer"] },
  disk: { manifest: "all", posix: "all", hash: "types" },
  snapshot: {
    pack: "all",
    manifest: "all",
    store: "all",
    hash: "all",
    posix: ["pacer"],
  },
  save: {
    snapshot: "all",
    pack: "all",
    disk: "all",
    manifest: "all",
    store: "all",
    hash: "all",
    posix: "all",
  },
  restore: {
    snapshot: "all",
    pack: "all",
    disk: "all",
    manifest: "all",
    store: "all",
    hash: "all",
    posix: "all",
  },
  fuse: {
    snapshot: ["records"],
    pack: "all",
    manifest: "all",
    store: "all",
    posix: "all",
    hash: "all",
  },
  sync: {
    snapshot: "all",
    pack: "all",
    manifest: "all",
    store: "all",
    hash: "all",
    posix: "all",
  },
  maintenance: {
    snapshot: "all",
    pack: "all",
    manifest: "all",
    store: "all",
    hash: "all",
    posix: "all",
  },
  formats: {
    save: "all",
    restore: "all",
    snapshot: "all",
    pack: "all",
    manifest: "all",
    store: "all",
    hash: "all",
    posix: "all",
  },
  workspace: {
    save: "all",
    restore: "all",
    snapshot: "all",
    pack: "all",
    disk: "all",
    manifest: "all",
    store: "all",
    hash: "all",
    posix: "all",
  },
  mcp: {
    workspace: "all",
    save: "all",
    restore: "all",
    snapshot: "all",
    disk: "all",
    manifest: "all",
    store: "all",
    hash: "all",
    posix: "all",
  },
  cli: {
    mcp: "all",
    workspace: "all",
    formats: "all",
    maintenance: "all",
    sync: "all",
    fuse: "all",
    save: "all",
    restore: "all",
    snapshot: "all",
    pack: "all",
    disk: "all",
    store: "all",
    manifest: "all",
    hash: "all",
    posix: "all",
  },
};

/** One import, export or dynamic import as it stands in a file. */
export interface Import {
  /** The importing file, relative to the root of the repository. */
  readonly file: string;
  /** What stands between the quotes. */
  readonly specifier: string;
  /** Whether it vanishes when the types are stripped. */
  readonly typeOnly: boolean;
}

/** Returns the package that a path relative to the root belongs to, or undefined. */
export function packageOf(path: string): string | undefined {
  const top = path.split("/", 1)[0];
  return path.includes("/") && Object.hasOwn(REACH, top) ? top : undefined;
}

/** Tells whether a file is a test, or serves tests only. */
export function isTestFile(path: string): boolean {
  return path.endsWith("_test.ts") || path.startsWith("tests/") ||
    path.includes("/testing/") || path.includes("/testdata/") ||
    /\/_test(ing)?(_\w+)?\.ts$/.test(path);
}

/**
 * Says what is wrong with an import.
 *
 * @param found The import.
 * @returns The reason, in the grammar of error messages, or undefined if it is allowed.
 */
export function importProblem(found: Import): string | undefined {
  if (found.specifier.startsWith(".")) return relativeProblem(found);
  if (/^@snap\//.test(found.specifier)) return siblingProblem(found);
  if (/^(npm|jsr|https?):/.test(found.specifier)) {
    return `Cannot import "${found.specifier}" as versions belong in the root deno.json: use its name there`;
  }
  return undefined;
}

function relativeProblem({ file, specifier }: Import): string | undefined {
  const target = new URL(specifier, `file:///${file}`).pathname.slice(1);
  if (target === "mod.ts") {
    return "Cannot import the root mod.ts as it is for readers only";
  }
  const from = packageOf(file);
  const to = packageOf(target);
  if (from === to) {
    return to !== undefined && target === `${to}/mod.ts` &&
        file !== `${to}/mod_test.ts`
      ? `Cannot import "${specifier}" as a package does not use its own mod.ts: name the file`
      : undefined;
  }
  if (
    from !== undefined && isTestFile(file) && /^tests\/_\w+\.ts$/.test(target)
  ) return undefined;
  return `Cannot import "${specifier}" as a relative import stays in its package: use the package name`;
}

function siblingProblem(
  { file, specifier, typeOnly }: Import,
): string | undefined {
  const [, to, entry] = specifier.match(/^@snap\/([^/]+)(?:\/(.+))?$/) ?? [];
  const from = packageOf(file);
  if (to === undefined || !Object.hasOwn(REACH, to)) {
    return `Cannot import "${specifier}" as there is no such package`;
  }
  if (from === to) {
    return isTestFile(file)
      ? undefined
      : `Cannot import "${specifier}" inside @snap/${to}: use a relative path`;
  }
  if (from === undefined || isTestFile(file)) return undefined;
  const reach = REACH[from][to];
  if (reach === undefined) {
    return `Cannot import @snap/${to} from @snap/${from} as imports go to a lower layer`;
  }
  if (reach === "types" && !typeOnly) {
    return `Cannot import @snap/${to} from @snap/${from} as it may use types only: add "type"`;
  }
  if (
    typeof reach !== "string" &&
    !reach.some((name) => entry?.split("-", 1)[0] === name)
  ) {
    return `Cannot import "${specifier}" from @snap/${from}: entry points allowed are ${
      reach.join(" and ")
    }`;
  }
  return undefined;
}
