import type { CommandSpec, OptionSpec } from "./command_spec.ts";
import { WAIT } from "./prune_commands.ts";
import { ANY, DRY_RUN, EXCLUDES } from "./shared_specs.ts";

function keep(name: string, value: string, help: string): OptionSpec {
  return { name: `keep-${name}`, value, help };
}

/** Rules of what is kept. */
export const KEEP_RULES: readonly OptionSpec[] = [
  keep("last", "N", "keep the last N"),
  keep("hourly", "N", "keep the last of each of N hours that have one"),
  keep("daily", "N", "the same for days, here and below"),
  keep("weekly", "N", "for weeks, which begin on Monday"),
  keep("monthly", "N", "for months"),
  keep("yearly", "N", "for years"),
  keep("within", "TIME", "keep all from 1y6m, 30d, 12h before the last on"),
  {
    ...keep("tag", "TAG", "keep all that the tag names or has named"),
    repeats: true,
    completes: "tag",
  },
];

/** Commands that say what is kept: tags, and what is forgotten. */
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
  {
    name: "forget",
    summary: "remove snapshots from the list: those named, or by rules",
    arguments: [{
      name: "ID",
      optional: true,
      repeats: true,
      help: "snapshots to forget; with rules none is given",
      completes: "snapshot",
    }],
    options: [
      ...KEEP_RULES,
      {
        name: "group-by",
        value: "WHAT",
        help: "rules hold for each host and source, unless said otherwise",
        completes: ["host,source", "host", "source", "none"],
      },
      {
        name: "policy",
        optionalValue: "NAME",
        help:
          "the rules of [policy], or of [policies.NAME], of the configuration",
      },
      { ...DRY_RUN, help: "say what would be forgotten, and forget nothing" },
      { name: "prune", help: "then free the space, as the command prune does" },
      { ...WAIT, help: `with --prune: ${WAIT.help}` },
      {
        name: "tagged",
        help:
          "with ID: also what a tag names, which then names what it did before",
      },
      {
        name: "unsafe-keep-none",
        help: "rules may keep nothing",
      },
      { name: "host", value: "NAME", help: "rules are about this host" },
      { ...ANY, help: "rules are about all hosts, not only this one" },
    ],
    notes: [
      "A record goes that no rule keeps; N is a number or all. What a tag names stays, and so does what is later than now. While a rule has more periods than there are, it keeps the oldest record of all, too. Saves of which something could not be read do not displace the last that is complete.",
      "An ID that several records have is refused: ID@RECORD and the id of a record name one.",
      "What only forgotten snapshots need takes up room until the store is pruned. A forgotten snapshot does not come back by a copy.",
    ],
    examples: [
      [
        "forget --keep-last 3 --keep-daily 7 --keep-yearly all -n",
        "see what rules would do",
      ],
      ["forget --policy --prune", "do what the configuration says, free space"],
      ["forget nightly~3", "one that a tag has named"],
    ],
  },
  {
    name: "stats",
    summary: "tell what a store or a snapshot holds, and what takes up room",
    arguments: [
      {
        name: "ID",
        optional: true,
        help: "one snapshot; the store if not given",
        completes: "snapshot",
      },
      {
        name: "ID2",
        optional: true,
        help: "with --growth: the later snapshot",
        completes: "snapshot",
      },
    ],
    options: [
      {
        name: "deep",
        help:
          "go through all snapshots: what they need, how well it is shared and compressed",
      },
      {
        name: "by",
        value: "WHAT",
        help:
          "snapshot: what each alone needs; directory, type: sizes of files in one",
        completes: ["snapshot", "directory", "type"],
      },
      {
        name: "depth",
        value: "N",
        help: "by directory: so many directories deep; 1 if not given",
      },
      {
        name: "growth",
        help: "how much larger directories, or types, are in ID2 than in ID",
      },
      { name: "packs", help: "which packs a snapshot needs" },
      ANY,
    ],
    notes: [
      "The own objects of a snapshot, which it alone needs, are what pruning gives back when it alone is forgotten. The packs of --packs, its record and the config are enough to restore it.",
    ],
    examples: [
      ["stats --by snapshot", "what forgetting each would give back"],
      ["stats --growth latest~7 latest --by type", "what has grown in a week"],
    ],
  },
  {
    name: "rewrite",
    summary: "make a snapshot of a part of another, without reading its files",
    arguments: [{
      name: "ID",
      help: "a snapshot, which stays",
      completes: "snapshot",
    }],
    options: [
      ...EXCLUDES.filter(({ name }) => /^exclude(-from)?$/.test(name)),
      {
        name: "include",
        value: "PATTERN",
        repeats: true,
        help: "only what matches, and directories on the way",
      },
      {
        name: "tag",
        short: "t",
        value: "NAME",
        help: "let the tag name the new snapshot",
        completes: "tag",
      },
      { ...DRY_RUN, help: "print the id, and store nothing" },
      ANY,
    ],
    notes: [
      "The new snapshot says of itself what the old one does, with totals of its own. Tags name what they did, unless --tag says otherwise. What was left out is in the store until the old one is forgotten and the store is pruned.",
    ],
    examples: [
      [
        "rewrite nightly --exclude '*.iso' --tag nightly",
        "and forget nightly~1 then",
      ],
    ],
  },
];
