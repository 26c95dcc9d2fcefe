import type { JsonSchemaType } from "@modelcontextprotocol/server";
import { openDirectory } from "./open_entry.ts";
import { Paged, pinOf } from "./paged.ts";
import { pathArgument } from "./path_argument.ts";
import {
  closed,
  ID,
  list,
  open,
  PAGE_FIELDS,
  type PageArgs,
  PATH_OUT,
  type PathArgs,
  pathFields,
  SNAPSHOT,
  TEXT,
} from "./schemas.ts";
import type { Tool } from "./tool.ts";

interface LsArgs extends PageArgs, PathArgs {
  readonly snapshot: string;
  readonly recursive?: boolean;
}

/** Schema of an entry of a snapshot. */
export const ENTRY: JsonSchemaType = open({ ...PATH_OUT, kind: TEXT }, [
  "path",
  "kind",
]);

/** `ls`: what is in a directory of a snapshot. */
export const LS: Tool<LsArgs> = {
  name: "ls",
  title: "List a directory of a snapshot",
  description:
    "Lists the entries of a directory of a snapshot, in byte order of names, with kind, size, id, mode and time. Reads nothing of the disk.",
  input: closed({
    snapshot: SNAPSHOT,
    ...pathFields("the directory; the root if not given"),
    recursive: { type: "boolean", description: "also what is below" },
    ...PAGE_FIELDS,
  }, ["snapshot"]),
  output: open(
    { id: ID, record: ID, entries: list(ENTRY), nextCursor: TEXT },
    ["id", "record", "entries"],
  ),
  async run(service, args, call) {
    const paged = new Paged("ls", args);
    const path = pathArgument(args);
    const { signal } = call;
    return await service.read(call, async (store) => {
      const { snapshot, recursive = false } = args;
      const record = await paged.record(store, snapshot, { pin: 0, signal });
      const { view, entry } = await openDirectory(store, record, path, call);
      const entries = recursive
        ? view.walk(entry, { signal })
        : view.children(entry, { signal });
      const page = await paged.fields(entries.batches(), {
        name: "entries",
        pins: [pinOf(record)],
        format: (one) => one.toJSON(),
      });
      return { fields: { id: record.tree, record: record.record, ...page } };
    });
  },
};
