import {
  listTags,
  type NamedRecord,
  recordFields,
} from "@snap/snapshot/records";
import type { Call, CallStore } from "../service.ts";
import { sourceText } from "../roots/roots.ts";
import { changedError, Paged, pinOf } from "./paged.ts";
import {
  closed,
  COUNT,
  DIRECTORY,
  FLAG,
  ID,
  list,
  open,
  PAGE_FIELDS,
  type PageArgs,
  TEXT,
} from "./schemas.ts";
import type { Tool } from "./tool.ts";

interface ListArgs extends PageArgs {
  readonly directory?: string;
}

/** `list`: the roots, and the snapshots of them. */
export const LIST: Tool<ListArgs> = {
  name: "list",
  title: "List snapshots",
  description:
    "Lists the snapshots, newest first, each with its id, time, directory (source), totals, message and tags; and the roots in which tools may work. A later record may be of the same snapshot: its content has the same id.",
  input: closed({
    directory: {
      ...DIRECTORY as object,
      description: "only those of this directory; of all roots if not given",
    },
    ...PAGE_FIELDS,
  }),
  output: open({
    roots: list(TEXT),
    isReadOnly: FLAG,
    snapshots: list(open({
      id: ID,
      record: ID,
      time: TEXT,
      source: TEXT,
      totals: open({ fileCount: COUNT, byteCount: COUNT }),
      tags: list(TEXT),
    })),
    nextCursor: TEXT,
  }, ["roots", "isReadOnly", "snapshots"]),
  async run(service, args, call) {
    const paged = new Paged("list", args);
    const { signal, roots } = call;
    const source = args.directory === undefined
      ? undefined
      : sourceText(roots.find(args.directory));
    return await service.read(call, async (store) => {
      const all = await store.records.records({ signal });
      const shown = all.filter((one) =>
        source === undefined || one.source === source
      );
      // The page before may have begun when there were less.
      const [first] = paged.pins;
      const start = first === undefined
        ? 0
        : shown.findIndex((one) => pinOf(one) === first);
      if (start < 0) throw changedError("a snapshot was forgotten");
      const records = shown.slice(start);
      const tags = await tagsOf(store, call);
      const page = await paged.fields(once(records), {
        name: "snapshots",
        pins: records.slice(0, 1).map(pinOf),
        format: (record) => ({
          ...recordFields(record),
          tags: tags.get(record.record) ?? [],
        }),
      });
      const { isReadOnly = false } = service.options;
      const names = roots.all.map(({ path }) => path);
      return { fields: { roots: names, isReadOnly, ...page } };
    });
  },
};

async function* once(
  records: readonly NamedRecord[],
): AsyncGenerator<readonly NamedRecord[]> {
  yield records;
}

async function tagsOf(
  { snapshots }: CallStore,
  { signal }: Call,
): Promise<Map<string, string[]>> {
  const tags = new Map<string, string[]>();
  for (const { tag, name } of await listTags(snapshots, { signal })) {
    if (name === undefined) continue;
    tags.set(name.record, [...tags.get(name.record) ?? [], tag]);
  }
  return tags;
}
