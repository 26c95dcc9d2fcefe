import { jsonPath } from "@snap/manifest/path";
import type { RestoreResult } from "@snap/restore";
import type { NamedRecord } from "@snap/snapshot/records";
import { SAMPLE_MAX } from "../limits.ts";
import { takePage } from "../pages/take_page.ts";
import { Project } from "../projects/project.ts";
import { restoreEmpty } from "../projects/restore_empty.ts";
import {
  type GuardedRestore,
  restoreGuarded,
} from "../projects/restore_guarded.ts";
import { directoryOfSource, sourceText } from "../roots/roots.ts";
import { CHANGE, changeFields } from "./diff.ts";
import { openEntry } from "./open_entry.ts";
import { pathArgument } from "./path_argument.ts";
import { ERROR_FIELDS, errorFields } from "./samples.ts";
import {
  closed,
  COUNT,
  DIRECTORY,
  FLAG,
  ID,
  list,
  open,
  PATH_OUT,
  type PathArgs,
  pathFields,
  SNAPSHOT,
  TEXT,
} from "./schemas.ts";
import type { Tool } from "./tool.ts";

interface RestoreArgs extends PathArgs {
  readonly snapshot: string;
  readonly directory?: string;
  readonly dryRun?: boolean;
}

/** `restore`: a directory becomes what a snapshot says. */
export const RESTORE: Tool<RestoreArgs> = {
  name: "restore",
  title: "Bring a snapshot back",
  description:
    "Makes a directory, or one path in it, what a snapshot says: writes what differs and removes what the snapshot does not have. The directory is saved first, and before names that snapshot: restore it to undo. What no snapshot holds (ignored by .snapignore, unreadable) is never replaced or removed: where it stands in the way nothing is changed, and the error names it. dryRun tells the changes and conflicts.",
  input: closed({
    snapshot: SNAPSHOT,
    directory: {
      ...DIRECTORY as object,
      description:
        "the directory; the one that the snapshot is of if not given. Another one has to be empty",
    },
    ...pathFields("a file or directory; all if not given"),
    dryRun: {
      type: "boolean",
      description:
        "only tell what would be changed, and what stands in the way",
    },
  }, ["snapshot"]),
  output: open({
    directory: TEXT,
    id: ID,
    record: ID,
    isDryRun: FLAG,
    before: open({ id: ID, record: ID }),
    changeCount: COUNT,
    changes: list(CHANGE),
    conflictCount: COUNT,
    conflicts: list(open({ ...PATH_OUT, reason: TEXT }, ["path", "reason"])),
    writtenFileCount: COUNT,
    writtenByteCount: COUNT,
    removedCount: COUNT,
    keptCount: COUNT,
    ...ERROR_FIELDS,
  }, ["directory", "id", "record", "isDryRun", "errorCount"]),
  writes: "directory",
  async run(service, args, call) {
    const path = pathArgument(args);
    const isDry = args.dryRun ?? false;
    return await service.change(call, async (store) => {
      const { signal } = call;
      const record = await store.records.resolve(args.snapshot, { signal });
      const directory = call.roots.find(
        args.directory ?? directoryOfSource(record.source),
      );
      const { entry } = await openEntry(store, record, path, call);
      const project = new Project(directory, { store, call, service });
      const head = {
        directory,
        id: record.tree,
        record: record.record,
        isDryRun: isDry,
      };
      const how = { path, isDry, kind: entry.kind };
      const fields = sourceText(directory) === record.source
        ? await guardedFields(await restoreGuarded(project, record, how))
        : emptyFields(await restoreEmpty(project, record, how));
      return { fields: { ...head, ...fields } };
    });
  },
};

async function guardedFields(
  { before, changes, conflicts, done }: GuardedRestore,
): Promise<Record<string, unknown>> {
  const first = await takePage(once(changes), {
    skip: 0,
    format: changeFields,
  });
  return {
    ...before && { before: idsOf(before) },
    changeCount: changes.length,
    changes: first.entries,
    conflictCount: conflicts.length,
    conflicts: conflicts.slice(0, SAMPLE_MAX).map(({ path, reason }) => ({
      ...jsonPath("path", path),
      reason,
    })),
    writtenFileCount: done?.writtenFileCount ?? 0,
    writtenByteCount: done?.writtenByteCount ?? 0,
    removedCount: done?.removedCount ?? 0,
    keptCount: done?.keptCount ?? 0,
    ...errorFields(done?.errors ?? []),
  };
}

function emptyFields(result: RestoreResult): Record<string, unknown> {
  const { writtenFileCount, writtenByteCount, errors } = result;
  return { writtenFileCount, writtenByteCount, ...errorFields(errors) };
}

function idsOf({ tree, record }: NamedRecord): Record<string, unknown> {
  return { id: tree, record };
}

async function* once<T>(all: readonly T[]): AsyncGenerator<readonly T[]> {
  yield all;
}
