import { savedFields } from "@snap/save";
import { jsonPath } from "@snap/manifest/path";
import { SAMPLE_MAX, TEXT_LENGTH_MAX } from "../limits.ts";
import { Project } from "../projects/project.ts";
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
  TEXT,
} from "./schemas.ts";
import type { Tool } from "./tool.ts";

interface SaveArgs {
  readonly directory?: string;
  readonly message?: string;
  readonly dryRun?: boolean;
}

/** `save`: a directory becomes a snapshot. */
export const SAVE: Tool<SaveArgs> = {
  name: "save",
  title: "Save a directory as a snapshot",
  description:
    "Saves all of a directory as a snapshot, and changes nothing in it. What .snapignore files name is left out. Where nothing has changed since the last save, no new record is written. Save before risky work; restore brings a snapshot back.",
  input: closed({
    directory: DIRECTORY,
    message: {
      type: "string",
      maxLength: TEXT_LENGTH_MAX,
      description: "what to say about it",
    },
    dryRun: {
      type: "boolean",
      description: "only tell the id and what would be stored",
    },
  }),
  output: open({
    directory: TEXT,
    id: ID,
    record: ID,
    isDryRun: FLAG,
    isNewRecord: FLAG,
    totals: open({ fileCount: COUNT, byteCount: COUNT }),
    ...ERROR_FIELDS,
    changedCount: COUNT,
    changed: list(open(PATH_OUT, ["path"])),
  }, ["directory", "id", "isDryRun", "isNewRecord", "totals", "errorCount"]),
  writes: "store",
  async run(service, args, call) {
    const { directory, message, dryRun = false } = args;
    const path = call.roots.find(directory);
    return await service.change(call, async (store) => {
      const project = new Project(path, { store, call, service });
      const result = dryRun
        ? await project.dryRun()
        : await project.save(message);
      return {
        fields: {
          directory: path,
          ...savedFields(result),
          ...errorFields(result.errors, result.errorCount),
          changed: result.changed.slice(0, SAMPLE_MAX)
            .map((one) => jsonPath("path", one)),
        },
      };
    });
  },
};
