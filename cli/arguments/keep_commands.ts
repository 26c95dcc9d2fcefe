import type { CommandSpec } from "./command_spec.ts";
import { ANY } from "./shared_specs.ts";

/** Commands that say what is kept: tags. */
export const KEEP_COMMANDS: readonly CommandSpec[] = [
  {
    name: "tag",
    summary: "let a tag name a snapshot, delete it, or list tags",
    arguments: [
      { name: "NAME", optional: true, help: "the tag", completes: "tag" },
      {
        name: "ID",
        optional: true,
        help: "the snapshot",
        completes: "snapshot",
      },
    ],
    options: [
      ANY,
      { name: "move", help: "only if there is such a tag already" },
      {
        name: "delete",
        short: "d",
        help: "delete the tag; no snapshot is forgotten",
      },
    ],
    notes: [
      "A tag is the log of all it has named: NAME~1 is what it named before, also when it is deleted.",
    ],
    examples: [
      ["tag release latest", "name the newest snapshot"],
      ["tag --delete release", "and no longer"],
      ["tag release release~1", "set it again"],
    ],
  },
];
