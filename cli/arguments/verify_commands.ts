import type { CommandSpec } from "./command_spec.ts";
import { ANY, DRY_RUN, EXCLUDES, WORKERS } from "./shared_specs.ts";

/** Commands that find and mend damage. */
export const VERIFY_COMMANDS: readonly CommandSpec[] = [
  {
    name: "verify",
    summary: "check that snapshots are whole, and what a folder holds",
    arguments: [
      {
        name: "ID|DIR",
        optional: true,
        help:
          "one snapshot, or a folder to compare; all snapshots if not given",
        completes: "side",
      },
      {
        name: "ID",
        optional: true,
        help: "what DIR is compared with; its newest snapshot if not given",
        completes: "snapshot",
      },
    ],
    options: [
      {
        name: "data",
        help: "read every byte, not only what holds it together",
      },
      {
        name: "part",
        value: "I/N",
        help: "with --data: of N parts of all packs, the I-th",
      },
      ...EXCLUDES,
      WORKERS,
      ANY,
    ],
    notes: [
      "What fails a check is read once more, from the store and not from a cache, before it is called damage. A pack is in the same part each time: verify --part I/N in N nights reads all. With --limit-rate a store in a folder is read no faster, too.",
      "With DIR every file of the folder is read, and differences are listed as diff does; the answer is then 1.",
    ],
    examples: [
      ["verify --data", "read the whole store"],
      ["verify --part 3/30 --limit-rate 20m", "the third of thirty nights"],
      ["verify ~/photos", "is all of it in its newest snapshot, and whole?"],
    ],
  },
  {
    name: "repair",
    summary: "mend what is damaged in a store, as far as it can be",
    arguments: [
      {
        name: "PART",
        help: "index, packs or snapshots: in this order",
        completes: ["index", "packs", "snapshots"],
      },
      {
        name: "NAME",
        optional: true,
        repeats: true,
        help: "packs, or snapshots; all that are damaged if not given",
      },
    ],
    options: [
      { ...DRY_RUN, help: "say what would be done, and write nothing" },
      ANY,
    ],
    notes: [
      "Nothing is removed. repair index writes what packs say into the index; a damaged table is replaced by a new one where snapshots are whole without it.",
      "repair packs reads all packs, or those named, marks those that are damaged, and copies what is sound in them into new ones. What a marked pack holds counts as absent: the next save of a folder stores again what it still has.",
      "repair snapshots writes a record of what is left of each snapshot from which something is lost, and lists what is not in it. The old record stays until it is forgotten.",
    ],
    examples: [
      ["repair index", "write what is missing of the index"],
      ["repair packs --dry-run", "read all packs, and say what is lost"],
      ["repair snapshots", "make snapshots of what is left"],
    ],
  },
  {
    name: "recover",
    summary: "find snapshots that no record names, and record them",
    arguments: [{
      name: "ID",
      optional: true,
      repeats: true,
      help: "ids of trees, or how they begin; all if not given",
    }],
    options: [
      { ...DRY_RUN, help: "list them, and write nothing" },
      {
        name: "unfinished",
        help: "also folders that saves which were killed have stored",
      },
    ],
    notes: [
      "Records that are damaged or gone leave the trees of their snapshots behind; so do those that were forgotten, until prune has run. Nothing is known of when, where and of what they were saved: the source is recovered, the time that of the last change in the top folder.",
    ],
    examples: [
      ["recover --dry-run", "list what there is"],
      ["recover 1f0a77c2", "bring one back"],
    ],
  },
];
