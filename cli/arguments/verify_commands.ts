import type { CommandSpec } from "./command_spec.ts";
import { ANY } from "./shared_specs.ts";

/** Commands that find and mend damage. */
export const VERIFY_COMMANDS: readonly CommandSpec[] = [
  {
    name: "verify",
    summary: "check that snapshots are whole",
    arguments: [{
      name: "ID",
      optional: true,
      help: "one snapshot; all if not given",
      completes: "snapshot",
    }],
    options: [
      {
        name: "data",
        help: "read every byte, not only what holds it together",
      },
      ANY,
    ],
    notes: [
      "A save does not read what the store holds already, and so mends no damaged pack. Move the pack out of the store, and keep it; then save the directories once more: what no pack holds is stored again, if it is still the same.",
    ],
  },
  {
    name: "repair",
    summary: "write again what a store can do without",
    arguments: [{
      name: "PART",
      help: "index: which object lies in which pack, as the packs say",
      completes: ["index"],
    }],
    options: [],
    notes: [
      "Nothing is removed. A damaged table of the index is replaced by a new one where snapshots are whole without it; reading needs no index, and takes longer without it.",
    ],
    examples: [["repair index", "write what is missing of the index"]],
  },
];
