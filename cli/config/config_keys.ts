/** Types of values of the configuration. */
export type ConfigValue = string | number | boolean;

/** A key of the configuration, and where else its value may stand. */
export interface ConfigKey {
  /** Type of its value. */
  readonly kind: "text" | "path" | "switch" | "size" | "rate" | "count";
  /** Where it may stand: above all tables, in the table of a store, or both. */
  readonly where: "top" | "store" | "both";
  /** Use of its value. */
  readonly help: string;
  /** Schemes of the stores that have it; all that are far away if absent. */
  readonly schemes?: readonly string[];
  /** The option that goes before it, without dashes. */
  readonly option?: string;
  /** The variable of the environment that goes before it. */
  readonly variable?: string;
  /** Whether its value is shown to nobody. */
  readonly isSecret?: true;
}

/** Most requests under way that may be asked for. */
export const JOBS_MAX = 256;

const S3 = ["s3"];
const HTTP = ["http", "https"];

/** All keys, in the order in which they are told. */
export const CONFIG_KEYS: Readonly<Record<string, ConfigKey>> = {
  "store": {
    kind: "text",
    where: "top",
    help: "the store of commands that are given none, and find no .snap",
    option: "store",
    variable: "SNAP_STORE",
  },
  "codec": {
    kind: "text",
    where: "top",
    help: "how stores that init makes are compressed, such as zstd:3",
    option: "codec",
  },
  "url": {
    kind: "text",
    where: "store",
    help: "where the store is: an address, or a path from / or ~/",
  },
  "limit-rate": {
    kind: "rate",
    where: "both",
    help: "most bytes a second, both ways together, such as 10m",
    option: "limit-rate",
    variable: "SNAP_LIMIT_RATE",
  },
  "jobs": {
    kind: "count",
    where: "both",
    help: `most requests under way, 1 to ${JOBS_MAX}`,
    option: "jobs",
    variable: "SNAP_JOBS",
  },
  "no-cache": {
    kind: "switch",
    where: "both",
    help:
      "whether nothing that was read or saved is remembered on this machine",
    option: "no-cache",
  },
  "cache-dir": {
    kind: "path",
    where: "top",
    help: "the folder of what was read from stores far away, from / or ~/",
    variable: "SNAP_CACHE_DIR",
  },
  "cache-size": {
    kind: "size",
    where: "top",
    help: "most bytes of disk for what was read from stores far away",
    variable: "SNAP_CACHE_SIZE",
  },
  "endpoint": {
    kind: "text",
    where: "store",
    schemes: S3,
    help: "the server of S3, such as https://s3.example.org",
  },
  "region": {
    kind: "text",
    where: "store",
    schemes: S3,
    help: "the region of S3",
  },
  "path-style": {
    kind: "switch",
    where: "store",
    schemes: S3,
    help: "whether the bucket is in the path, and not in the name of the host",
    variable: "SNAP_S3_PATH_STYLE",
  },
  "profile": {
    kind: "text",
    where: "store",
    schemes: S3,
    help: "the profile in ~/.aws that has the keys",
  },
  "anonymous": {
    kind: "switch",
    where: "store",
    schemes: S3,
    help: "whether requests are not signed",
  },
  "single-writer": {
    kind: "switch",
    where: "store",
    schemes: ["s3", "sftp"],
    help: "whether only one program ever writes at a time",
    option: "single-writer",
  },
  "token": {
    kind: "text",
    where: "store",
    schemes: HTTP,
    help: "the token of a serve",
    variable: "SNAP_TOKEN",
    isSecret: true,
  },
  "token-file": {
    kind: "path",
    where: "store",
    schemes: HTTP,
    help: "a file that has the token, from / or ~/",
  },
  "token-command": {
    kind: "text",
    where: "store",
    schemes: HTTP,
    help: "a command of the shell that prints the token",
  },
  "ssh-command": {
    kind: "text",
    where: "store",
    schemes: ["ssh", "sftp"],
    help: "the program, and its options, in the place of ssh",
    variable: "SNAP_SSH",
  },
  "sftp-command": {
    kind: "text",
    where: "store",
    schemes: ["sftp"],
    help:
      "a program that speaks SFTP on its standard input and output, such as rclone serve sftp --stdio REMOTE:PATH",
    variable: "SNAP_SFTP_COMMAND",
  },
  "remote-command": {
    kind: "text",
    where: "store",
    schemes: ["ssh"],
    help: "this program on the other host",
    variable: "SNAP_REMOTE_COMMAND",
  },
};
