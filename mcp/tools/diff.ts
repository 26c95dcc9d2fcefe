import { jsonPath } from "@snap/manifest/path";
import {
  type DiffSide,
  diffSnapshots,
  snapshotSide,
} from "@snap/snapshot/query";
import { rowFields } from "@snap/snapshot/view";
import type { Change } from "@snap/manifest/diff";
import type { NamedRecord } from "@snap/snapshot/records";
import type { JsonSchemaType } from "@modelcontextprotocol/server";
import { Project } from "../projects/project.ts";
import { directoryOfSource } from "../roots/roots.ts";
import type { Call, CallStore, Service } from "../service.ts";
import { ToolError } from "../tool_error.ts";
import { changedError, Paged, pinOf } from "./paged.ts";
import { ERROR_FIELDS, errorFields } from "./samples.ts";
import {
  closed,
  DIRECTORY,
  list,
  open,
  PAGE_FIELDS,
  type PageArgs,
  PATH_OUT,
  SNAPSHOT,
  TEXT,
} from "./schemas.ts";
import type { Tool } from "./tool.ts";

interface DiffArgs extends PageArgs {
  readonly before: string;
  readonly after?: string;
  readonly directory?: string;
  readonly attributes?: boolean;
}

/** One side of a comparison, and what it is. */
interface Side {
  readonly side: DiffSide;
  readonly pin: string;
  /** What could not be read of a directory of the disk. */
  readonly more?: Record<string, unknown>;
}

/** Schema of a change. */
export const CHANGE: JsonSchemaType = open({
  change: { enum: ["added", "removed", "modified", "type", "attributes"] },
  ...PATH_OUT,
}, ["change", "path"]);

/** `diff`: two snapshots, or a snapshot and a directory as it is now. */
export const DIFF: Tool<DiffArgs> = {
  name: "diff",
  title: "Compare snapshots, or a snapshot and the directory now",
  description:
    "Lists what differs from a snapshot to another one, or, without after, to the directory as it is on disk now: added, removed, modified, type (became another kind of entry), attributes. Changes nothing.",
  input: closed({
    before: SNAPSHOT,
    after: {
      ...SNAPSHOT as object,
      description:
        "the other snapshot; the directory on disk as it is now if not given",
    },
    directory: {
      ...DIRECTORY as object,
      description:
        "the directory on disk; the one that the snapshot is of if not given",
    },
    attributes: {
      type: "boolean",
      description: "also what has only another mode, owner or time",
    },
    ...PAGE_FIELDS,
  }, ["before"]),
  output: open({
    before: TEXT,
    after: TEXT,
    changes: list(CHANGE),
    ...ERROR_FIELDS,
    nextCursor: TEXT,
  }, ["before", "after", "changes"]),
  async run(service, args, call) {
    const paged = new Paged("diff", args);
    const { signal } = call;
    if (args.after !== undefined && args.directory !== undefined) {
      throw new ToolError(
        "Cannot use after and directory at once: each is the second side",
      );
    }
    return await service.read(call, async (store) => {
      const record = await paged.record(store, args.before, { pin: 0, signal });
      const before = await recordSide(store, record, args);
      const after = args.after === undefined
        ? await directorySide(service, store, { args, record, call })
        : await recordSide(
          store,
          await paged.record(store, args.after, { pin: 1, signal }),
          args,
        );
      if (after.more && paged.pins.length > 1 && paged.pins[1] !== after.pin) {
        throw changedError("the directory has changed");
      }
      const changes = diffSnapshots(before.side, after.side, { signal });
      const page = await paged.fields(changes.batches(), {
        name: "changes",
        pins: [before.pin, after.pin],
        format: changeFields,
      });
      const sides = { before: before.pin, after: after.pin };
      return { fields: { ...sides, ...page, ...after.more } };
    });
  },
};

async function recordSide(
  { snapshots }: CallStore,
  record: NamedRecord,
  { attributes = false }: DiffArgs,
): Promise<Side> {
  const side = snapshotSide(await snapshots.reader(), record, { attributes });
  return { side, pin: pinOf(record) };
}

async function directorySide(
  service: Service,
  store: CallStore,
  { args, record, call }: {
    readonly args: DiffArgs;
    readonly record: NamedRecord;
    readonly call: Call;
  },
): Promise<Side> {
  const { directory = directoryOfSource(record.source) } = args;
  const path = call.roots.find(directory);
  const project = new Project(path, { store, call, service });
  const found = await project.identify();
  const ids = { tree: found.id, page: found.page };
  const { attributes = false } = args;
  return {
    side: snapshotSide(found, ids, { attributes }),
    pin: attributes ? `${found.id}@${found.page}` : found.id,
    more: errorFields(found.errors, found.errorCount),
  };
}

/** Writes a change. */
export function changeFields(
  { kind, path, before, after }: Change,
): Record<string, unknown> {
  return {
    change: kind,
    ...jsonPath("path", path),
    ...before && { before: rowFields(before) },
    ...after && { after: rowFields(after) },
  };
}
