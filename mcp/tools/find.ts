import { EntryKind, type EntryKindName } from "@snap/manifest/extras";
import { find, patternOptions } from "@snap/snapshot/query";
import { PATTERN_LENGTH_MAX } from "../limits.ts";
import { ToolError } from "../tool_error.ts";
import { ENTRY } from "./ls.ts";
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
  type PathArgs,
  pathFields,
  SNAPSHOT,
  TEXT,
} from "./schemas.ts";
import type { Tool } from "./tool.ts";

interface FindArgs extends PageArgs, PathArgs {
  readonly snapshot: string;
  readonly pattern: string;
  readonly kind?: EntryKindName;
}

/** `find`: entries of a snapshot by name. */
export const FIND: Tool<FindArgs> = {
  name: "find",
  title: "Find entries of a snapshot",
  description:
    "Finds entries of a snapshot whose name matches a pattern with * ? [a-z]; a pattern with a slash matches the path from the root of the snapshot, where ** is any number of directories. Does not look into files.",
  input: closed({
    snapshot: SNAPSHOT,
    pattern: {
      type: "string",
      minLength: 1,
      maxLength: PATTERN_LENGTH_MAX,
      description: "such as *.ts, or src/**/*.ts",
    },
    ...pathFields("where to look; the root if not given"),
    kind: {
      enum: Object.keys(EntryKind),
      description: "only these; an executable is no file here",
    },
    ...PAGE_FIELDS,
  }, ["snapshot", "pattern"]),
  output: open(
    { id: ID, record: ID, entries: list(ENTRY), nextCursor: TEXT },
    ["id", "record", "entries"],
  ),
  async run(service, args, call) {
    const paged = new Paged("find", args);
    const path = pathArgument(args);
    const kinds = args.kind === undefined ? undefined : [EntryKind[args.kind]];
    const pattern = checkedPattern(args.pattern);
    const { signal } = call;
    return await service.read(call, async (store) => {
      const { snapshot } = args;
      const record = await paged.record(store, snapshot, { pin: 0, signal });
      const { view, entry } = await openDirectory(store, record, path, call);
      const found = find(view, {
        ...pattern,
        ...kinds && { kinds },
        directory: entry,
        signal,
      });
      const page = await paged.fields(found.batches(), {
        name: "entries",
        pins: [pinOf(record)],
        format: (one) => one.toJSON(),
      });
      return { fields: { id: record.tree, record: record.record, ...page } };
    });
  },
};

function checkedPattern(pattern: string): ReturnType<typeof patternOptions> {
  try {
    return patternOptions(pattern);
  } catch (cause) {
    throw new ToolError((cause as Error).message, undefined, { cause });
  }
}
