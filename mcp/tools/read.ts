import { isFileKind } from "@snap/manifest/extras";
import { displayPath, jsonPath, toBase64 } from "@snap/manifest/path";
import type { NamedRecord } from "@snap/snapshot/records";
import type { ViewEntry } from "@snap/snapshot/view";
import { READ_SIZE, READ_SIZE_MAX } from "../limits.ts";
import { ToolError } from "../tool_error.ts";
import { openEntry } from "./open_entry.ts";
import { pathArgument } from "./path_argument.ts";
import {
  closed,
  COUNT,
  ID,
  open,
  PATH_OUT,
  type PathArgs,
  pathFields,
  SNAPSHOT,
  TEXT,
} from "./schemas.ts";
import { cutText } from "./cut_text.ts";
import type { Tool, ToolAnswer } from "./tool.ts";

interface ReadArgs extends PathArgs {
  readonly snapshot: string;
  readonly offset?: number;
  readonly length?: number;
}

/** `read`: a file of a snapshot, or a range of it. */
export const READ: Tool<ReadArgs> = {
  name: "read",
  title: "Read a file of a snapshot",
  description:
    "Gives a file as it is in a snapshot, or a range of its bytes, checked against its id: as text where it is UTF-8, else as base64. nextOffset says where the rest begins. Reads nothing of the disk, and changes nothing.",
  input: closed({
    snapshot: SNAPSHOT,
    ...pathFields("the file"),
    offset: {
      type: "integer",
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description: "first byte; 0 if not given",
    },
    length: {
      type: "integer",
      minimum: 1,
      maximum: READ_SIZE_MAX,
      description: `most bytes; ${READ_SIZE} if not given`,
    },
  }, ["snapshot"]),
  output: open({
    ...PATH_OUT,
    record: ID,
    id: ID,
    size: COUNT,
    offset: COUNT,
    length: COUNT,
    text: TEXT,
    base64: TEXT,
    nextOffset: COUNT,
  }, ["path", "record", "id", "size", "offset", "length"]),
  async run(service, args, call) {
    const path = pathArgument(args);
    const { offset = 0, length = READ_SIZE } = args;
    return await service.read(call, async (store) => {
      const { signal } = call;
      const record = await store.records.resolve(args.snapshot, { signal });
      const { view, entry } = await openEntry(store, record, path, call);
      if (!isFileKind(entry.kind)) {
        throw new ToolError(
          `Cannot read ${displayPath(path) || "the snapshot"}: it is no file`,
          "the tool ls lists a directory, and tells where a link leads",
        );
      }
      const bytes = await view.read(entry, { offset, length, signal });
      return answerOf(record, entry, offset, bytes);
    });
  },
};

function answerOf(
  record: NamedRecord,
  entry: ViewEntry,
  offset: number,
  bytes: Uint8Array,
): ToolAnswer {
  const isEnd = offset + bytes.length >= entry.size;
  const { text, length } = cutText(bytes, isEnd);
  const end = offset + length;
  const range = {
    ...jsonPath("path", entry.path),
    record: record.record,
    id: entry.id,
    size: entry.size,
    offset,
    length,
    ...end < entry.size && { nextOffset: end },
  };
  if (text !== undefined) {
    return {
      fields: { ...range, text },
      content: [{ type: "text", text }],
    };
  }
  const blob = toBase64(bytes);
  const uri = `snap://${record.record}/${
    encodeURIComponent(displayPath(entry.path))
  }`;
  const mimeType = "application/octet-stream";
  return {
    fields: { ...range, base64: blob },
    content: [{ type: "resource", resource: { uri, mimeType, blob } }],
  };
}
