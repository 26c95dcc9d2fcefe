import { Failures } from "./_failures.ts";
import { measure, median } from "./_measure.ts";
import { Mounted, type MountPlace, placeEnvironment } from "./_mounted.ts";
import type { PartOptions } from "./_mount_part.ts";
import { isPeer, type MountSystem } from "./_mount_systems.ts";
import { makeManyFiles } from "./_mount_tree.ts";
import { makeSourceTree } from "./_source_tree.ts";
import { renderLines } from "./_table.ts";

const GIT = "git -c safe.directory='*'";

/** A tree, and a command that is run twice in it: cold and warm. */
interface ListCase {
  readonly name: string;
  readonly command: string;
  readonly make: (root: string) => void | Promise<void>;
  /** Looks at the tree before it is saved. */
  readonly settle?: string;
}

/** What is listed, at the size that is asked for. */
function listCases(size: "full" | "small"): ListCase[] {
  const isFull = size === "full";
  const fileCount = isFull ? 100_000 : 200;
  const many = fileCount.toLocaleString("en");
  const command = "ls -lR . >/dev/null";
  const status = `test -z "$(GIT_OPTIONAL_LOCKS=0 ${GIT} status --porcelain)"`;
  return [{
    name: `\`ls -lR\`, ${many} files`,
    command,
    make: (root) => makeManyFiles(root, { fileCount, hasXattrs: false }),
  }, {
    name: `\`ls -lR\`, ${many} files with attributes`,
    command,
    make: (root) => makeManyFiles(root, { fileCount, hasXattrs: true }),
  }, {
    name: `\`git status\`, ${isFull ? "20,591" : "200"} files`,
    command: status,
    make: (root) =>
      makeSourceTree(
        root,
        isFull ? {} : { fileCount: 200, byteCount: 1_000_000 },
      ),
    settle: `${GIT} init -q && ${GIT} add -A &&
      ${GIT} -c user.name=a -c user.email=a@b commit -qm first &&
      sleep 1 && ${GIT} status`,
  }];
}

/** Seconds of two runs. */
interface ListTimes {
  readonly cold: number[];
  readonly warm: number[];
}

/**
 * Measures programs that look at every entry, in every system.
 *
 * @param systems What mounts.
 * @param options Where and how often.
 * @returns The tables.
 */
export async function measureLists(
  systems: readonly MountSystem[],
  options: PartOptions,
): Promise<string> {
  const { folder, env, runCount, size } = options;
  let text = "### Listing\n";
  for (const [number, one] of listCases(size).entries()) {
    const own = `${folder}/${number}`;
    const tree = `${own}/tree`;
    await Deno.mkdir(own);
    await one.make(tree);
    if (one.settle) {
      const settle = `cd "$TREE" && ${one.settle}`;
      await measure(settle, { cwd: own, env: { TREE: tree } });
    }
    const times = new Map<MountSystem, ListTimes>();
    const place = (system: MountSystem): MountPlace => ({
      tree,
      image: `${own}/${system.image}`,
      point: `${own}/point`,
      folder: own,
      env,
    });
    const failures = new Failures();
    const attempt = (system: MountSystem, run: () => Promise<unknown>) =>
      failures.attempt({ name: system.name, isPeer: isPeer(system) }, run);
    const images = new Set<string>();
    for (const system of systems) {
      times.set(system, { cold: [], warm: [] });
      if (images.has(system.image)) continue;
      images.add(system.image);
      console.error(`${one.name}: making ${system.image}`);
      const variables = placeEnvironment(place(system));
      await attempt(
        system,
        () => measure(system.prepare, { cwd: own, env: variables }),
      );
    }
    for (let round = 0; round < runCount; round++) {
      for (let i = 0; i < systems.length; i++) {
        const system = systems[(i + round) % systems.length];
        console.error(`${one.name}: round ${round}, ${system.name}`);
        await attempt(
          system,
          () => runTwice(one, system, place(system), times.get(system)!),
        );
      }
    }
    text += `\n${renderTimes(one, times, failures)}${failures.render()}`;
    await Deno.remove(own, { recursive: true });
  }
  return text;
}

async function runTwice(
  { command }: ListCase,
  system: MountSystem,
  place: MountPlace,
  { cold, warm }: ListTimes,
): Promise<void> {
  await using mounted = await Mounted.start(system, place);
  const run = `cd "$ROOT" && ${command}`;
  const env = { ROOT: mounted.root };
  for (const times of [cold, warm]) {
    const { wallSeconds } = await measure(run, { cwd: place.folder, env });
    times.push(wallSeconds);
  }
}

function renderTimes(
  { name }: ListCase,
  times: ReadonlyMap<MountSystem, ListTimes>,
  failures: Failures,
): string {
  const those = [...times].filter(([{ name }]) => !failures.has(name));
  const rows = those.map(([system, { cold, warm }]) => [
    system.name,
    `${median(cold).toFixed(2)} s`,
    `${median(warm).toFixed(2)} s`,
  ]);
  return renderLines([[name, "first", "again"], ...rows]);
}
