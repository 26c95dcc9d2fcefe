import type { CommandSpec } from "./command_spec.ts";
import { ANY, TARGET } from "./shared_specs.ts";

/** Names of formats, as a shell offers them. */
const FORMATS = ["tar", "tar.gz", "tar.zst"];

/** Commands that exchange snapshots with other programs. */
export const ARCHIVE_COMMANDS: readonly CommandSpec[] = [
  {
    name: "export",
    summary: "write a snapshot, or a part of it, as an archive",
    arguments: [TARGET, {
      name: "TARGET",
      help: "the file that is written; - is stdout",
      completes: "file",
    }],
    options: [
      {
        name: "as",
        value: "FORMAT",
        help: "tar, tar.gz or tar.zst",
        completes: FORMATS,
      },
      { name: "existing", help: "replace a file that is there" },
      ANY,
    ],
    notes: [
      "Prints the SHA-256 of the plain archive. A snapshot gives the same tar each time, byte for byte. Every byte is checked before it is written, and a file has its name only when it is complete.",
      "Modes, owners, times, extended attributes, lists of rights, hard links, holes and devices are in it, as GNU tar and bsdtar read them. docs/FORMATS.md says what a format cannot hold.",
    ],
    examples: [
      ["export latest --as tar.zst backup.tar.zst", "all of a snapshot"],
      ["export nightly:etc --as tar - | tar -tv", "a part, into a pipe"],
    ],
  },
  {
    name: "import",
    summary: "make a snapshot of an archive, and print its id",
    arguments: [{
      name: "SOURCE",
      help: "the archive; - is stdin",
      completes: "file",
    }],
    options: [
      {
        name: "from",
        value: "FORMAT",
        help: "tar, which tells itself how it is compressed",
        completes: FORMATS,
      },
      {
        name: "tag",
        short: "t",
        value: "NAME",
        help: "let the tag name this snapshot",
        completes: "tag",
      },
      {
        name: "message",
        short: "m",
        value: "TEXT",
        help: "what to say about it",
      },
      {
        name: "sha256",
        value: "HEX",
        help: "refuse what is not the plain archive with this SHA-256",
      },
      {
        name: "host",
        value: "NAME",
        help: "the host that the record names",
      },
    ],
    notes: [
      "Nothing is unpacked on a disk: entries go into the store as they come. An archive that is damaged, ends too early, or holds a path that leads out of it leaves no snapshot.",
      "A name that comes twice is what came last. Directories that nobody names are made.",
    ],
    examples: [
      ["import --from tar base.tar.gz --tag base", "and give it a name"],
    ],
  },
];
