import { COMMAND } from "../product.ts";
import type { CommandSpec } from "./command_spec.ts";
import { WORKERS } from "./shared_specs.ts";

/** Commands that let other machines use a store. */
export const FAR_COMMANDS: readonly CommandSpec[] = [
  {
    name: "serve",
    summary: "let other programs and machines use a store",
    arguments: [{
      name: "PATH",
      optional: true,
      help: "the store; the one that is found if not given",
      completes: "directory",
    }],
    options: [
      {
        name: "listen",
        value: "HOST:PORT",
        help: "where; 127.0.0.1:7627 if not given, :7627 is every address",
      },
      {
        name: "tokens",
        value: "FILE",
        help: "who may do what: lines of read, append or prune, and a token",
        completes: "file",
      },
      { name: "anonymous", help: "let all read, without a token" },
      { name: "read-only", help: "take nothing" },
      { name: "append-only", help: "take what is new, and remove nothing" },
      {
        name: "tls-cert",
        value: "FILE",
        help: "speak TLS, with this certificate and its chain",
        completes: "file",
      },
      {
        name: "tls-key",
        value: "FILE",
        help: "the key of the certificate",
        completes: "file",
      },
      {
        name: "stdio",
        help: "serve on standard input and output, as ssh:// runs it",
      },
      {
        name: "create",
        help: "with --stdio: in a folder that is absent or empty, too",
      },
      {
        name: "access-log",
        value: "FILE",
        help: "add a line for each request to this file",
        completes: "file",
      },
      {
        name: "body-size",
        value: "SIZE",
        help: "the largest request; 16m if not given",
      },
      {
        name: "file-size",
        value: "SIZE",
        help: "the largest file that is taken; 2g if not given",
      },
      {
        name: "idle-time",
        value: "SECONDS",
        help: "the longest wait for the next byte; 30 if not given",
      },
      {
        name: "requests",
        value: "N",
        help: "most requests at once; 256 if not given",
      },
    ],
    notes: [
      "Prints its address when it listens. SIGTERM and Ctrl-C end it when the requests at work are answered, a second one at once. /healthz answers whether the store can be read.",
      "Without --tokens it serves programs of this machine only, of whichever user, which may read and append; with --stdio whoever runs it, who may do all. An append token cannot remove, nor replace, nor write what decides over the rest.",
      "In a file of tokens empty lines and those that begin with # count for nothing. A token has 16 visible characters or more.",
      `As a command in ~/.ssh/authorized_keys, ${COMMAND} serve --stdio --append-only PATH fixes store and right of a key.`,
    ],
    examples: [
      ["serve /srv/snaps", "for programs of this machine"],
      ["serve /srv/snaps --listen :7627 --tokens tokens", "for others"],
    ],
  },
  {
    name: "listing",
    summary: "let any web server serve a store to read",
    arguments: [{
      name: "PATH",
      optional: true,
      help: "a store in a folder; the one that is found if not given",
      completes: "directory",
    }],
    options: [],
    notes: [
      "Writes the file listing into the store, by which a store behind a web server is found to have what it has. A web server has to serve the folder as it is, ranges too. Once there is one, save, tag and repair write it anew; after what others add, through serve, it has to be run again. What it does not name yet, readers do not see, and miss nothing else.",
    ],
    examples: [[
      "listing /srv/www/snaps",
      "then: log --store https://HOST/snaps",
    ]],
  },
  {
    name: "mcp",
    summary: "let an agent save and restore directories",
    arguments: [],
    options: [
      {
        name: "root",
        value: "DIR",
        repeats: true,
        help: "a directory in which it may work, with all below; at least one",
        completes: "directory",
      },
      { name: "read-only", help: "let it read snapshots, and write nothing" },
      {
        name: "any",
        help: "let it read snapshots of all folders and hosts, too",
      },
      WORKERS,
    ],
    notes: [
      "Speaks the Model Context Protocol on standard input and output, until the client closes them. Its tools are save, restore, list, ls, diff, read and find. Nothing of a store can be removed by them, and nothing outside of the roots is read from the disk or written.",
      "A restore saves the directory first, and replaces or removes nothing that no snapshot holds.",
    ],
    examples: [["mcp --root .", "as the command of a server in a client"]],
  },
  {
    name: "config",
    summary: "tell what the configuration says, and what goes before it",
    arguments: [],
    options: [],
    notes: [
      "The configuration is $XDG_CONFIG_HOME/snap/config.toml or ~/.config/snap/config.toml, another file if SNAP_CONFIG names it. Tokens are not shown.",
    ],
    examples: [["config --store offsite", "also what this option changes"]],
  },
];
