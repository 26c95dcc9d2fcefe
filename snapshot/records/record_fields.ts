import { jsonPath, parsePath } from "@snap/manifest/path";
import type { NamedRecord, PathSample } from "./record.ts";

/**
 * Writes a record for JSON, paths as `jsonPath` does.
 *
 * @returns The fields.
 */
export function recordFields(record: NamedRecord): Record<string, unknown> {
  const { tree, page, record: id, source, unreadable, changed, ...others } =
    record;
  const { writer: _, ...rest } = others;
  return {
    id: tree,
    page,
    record: id,
    ...rest,
    ...pathField("source", source),
    unreadable: sampleFields(unreadable),
    changed: sampleFields(changed),
  };
}

function sampleFields({ count, first }: PathSample): Record<string, unknown> {
  return { count, first: first.map((text) => pathField("path", text)) };
}

/** A record is whatever its saver wrote: text that is no byte string stays as it is. */
function pathField(field: string, text: string): Record<string, string> {
  try {
    return jsonPath(field, parsePath(text));
  } catch {
    return { [field]: text };
  }
}
