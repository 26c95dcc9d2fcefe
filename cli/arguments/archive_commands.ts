import type { CommandSpec, OptionSpec } from "./command_spec.ts";
import {
  ANY,
  MESSAGE,
  NO_FOLLOW,
  TAG,
  TARGET,
  WORKERS,
} from "./shared_specs.ts";

/** Names of formats, as a shell offers them. */
const FORMATS = [
  "tar",
  "tar.gz",
  "tar.zst",
  "oci",
  "oci-archive",
  "snapdir",
];

const IMAGE: OptionSpec = {
  name: "image",
  value: "NAME",
  help: "oci: the name of the image in the layout",
};
const ARCHITECTURE: OptionSpec = {
  name: "architecture",
  value: "NAME",
  help: "oci: the machine that the image is for, such as amd64",
};

/** Commands that exchange snapshots with other programs. */
export const ARCHIVE_COMMANDS: readonly CommandSpec[] = [
  {
    name: "export",
    summary: "write a snapshot, or a part of it, as an archive",
    arguments: [TARGET, {
      name: "TARGET",
      help:
        "the file, or s3://BUCKET/NAME; - is stdout; of oci a new folder, of snapdir a store",
      completes: "file",
    }],
    options: [
      {
        name: "as",
        value: "FORMAT",
        help: "tar, tar.gz, tar.zst, oci, oci-archive or snapdir",
        completes: FORMATS,
      },
      { name: "existing", help: "replace what is there" },
      {
        name: "base",
        value: "ID",
        help: "oci: the layer below; the other one is what differs",
        completes: "snapshot",
      },
      {
        name: "compression",
        value: "WAY",
        help: "oci: gzip, zstd or none; gzip if not given",
        completes: ["gzip", "zstd", "none"],
      },
      IMAGE,
      ARCHITECTURE,
      NO_FOLLOW,
      ANY,
      WORKERS,
    ],
    notes: [
      "Prints the SHA-256 of the plain archive. A snapshot gives the same tar each time, byte for byte. Every byte is checked before it is written, and a file has its name only when it is complete.",
      "Modes, owners, times, extended attributes, lists of rights, hard links, holes and devices are in it, as GNU tar and bsdtar read them. docs/FORMATS.md says what a format cannot hold.",
      "An image has one layer, or two with --base: that of the other snapshot, and what differs. The digest of its manifest is printed.",
      "At s3:// an archive is sent in parts while it is made. After a kill the same command goes on: parts that are there are not sent again. If the same archive is there already, nothing is sent; another one is only replaced with --existing.",
      "oci-archive is an image in one tar archive. Its layers are made twice, as are those of oci at s3://: a layer is named by its digest.",
      "A store of snapdir is a folder, s3:// or sftp://. Only objects that it lacks are written, and the manifest last; the id that snapdir has is printed, and what it cannot hold is told.",
    ],
    examples: [
      ["export latest --as tar.zst backup.tar.zst", "all of a snapshot"],
      ["export nightly:etc --as tar - | tar -tv", "a part, into a pipe"],
      [
        "export v2 --as oci image --base v1",
        "an image of two layers, for skopeo or umoci",
      ],
      [
        "export latest --as tar.zst s3://bucket/base.tar.zst",
        "into a bucket, while it is made",
      ],
      ["export latest --as snapdir ./pool", "into a store of snapdir"],
    ],
  },
  {
    name: "import",
    summary: "make a snapshot of an archive, and print its id",
    arguments: [{
      name: "SOURCE",
      help:
        "the archive, also at s3://; - is stdin; of oci a layout, of snapdir a store",
      completes: "file",
    }, {
      name: "ID",
      optional: true,
      help: "of snapdir, which snapshot; not needed where there is one",
    }],
    options: [
      {
        name: "from",
        value: "FORMAT",
        help: "oci, snapdir, or tar, which tells how it is compressed",
        completes: FORMATS,
      },
      TAG,
      MESSAGE,
      {
        name: "sha256",
        value: "HEX",
        help: "refuse what is not the plain archive with this SHA-256",
      },
      {
        name: "size-max",
        value: "SIZE",
        help: "refuse what has more plain bytes; 16 TiB if not given",
      },
      IMAGE,
      ARCHITECTURE,
      {
        name: "host",
        value: "NAME",
        help: "the host that the record names",
      },
    ],
    notes: [
      "Nothing is unpacked on a disk: entries go into the store as they come. An archive that is damaged, ends too early, or holds a path that leads out of it leaves no snapshot.",
      "Of an image, in a folder or a tar archive of one, the layers are applied one over the other; each has to have both its digests.",
      "Of snapdir the manifest is checked first, then each object. Times are 1970 and owners 0, as it holds none.",
      "A few compressed bytes can stand for any number of plain ones: --size-max ends an import of what is not trusted.",
      "A name that comes twice is what came last. Directories that nobody names are made.",
    ],
    examples: [
      ["import --from tar base.tar.gz --tag base", "and give it a name"],
      [
        "import --from snapdir s3://bucket/pool ID",
        "out of a store of snapdir",
      ],
    ],
  },
];
