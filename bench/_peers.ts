import type { Level, Program } from "./_program.ts";

/**
 * Returns a program whose store lies elsewhere.
 *
 * @param program The program.
 * @param store What takes the place of `$STORE`: words for a shell, in double quotes.
 * @returns The program with its commands for that store.
 */
export function withStore(program: Program, store: string): Program {
  const at = (command = "false"): string => `STORE="${store}"; ${command}`;
  const { init, save, again, restore } = program;
  return {
    ...program,
    init: at(init),
    save: at(save),
    again: at(again),
    restore: at(restore),
  };
}

/** Returns one of the peers by its name, with the options that every bench gives it. */
export function peer(name: string): Program {
  const found = peers("default").find((program) => program.name === name);
  if (found === undefined) throw new RangeError(`Cannot measure ${name}`);
  return found;
}

/** Returns the command that makes a store of `$TREE` by a peer, at a place. */
export function makeStore(name: string, store: string): string {
  const { init, save } = withStore(peer(name), store);
  return `{ ${init}; } && { ${save}; }`;
}

/** Returns the programs that store snapshots, at one level of compression where they have a choice. */
export function peers(level: Level): Program[] {
  return [restic(), rustic(level), kopia(), borg(level), backpak(), chkpt()]
    .concat(snapdir(), desync(), casync(), bupstash());
}

function restic(): Program {
  const run = `restic -q -r "$STORE"`;
  return {
    name: "restic",
    kind: "peer",
    version: "restic version",
    init: `${run} init`,
    save: `cd "$TREE" && ${run} backup --tag first .`,
    again: `cd "$TREE" && ${run} backup .`,
    restore: `${run} restore latest --tag first --target "$TARGET"`,
  };
}

function rustic(level: Level): Program {
  const run = `rustic --no-progress --log-level warn -r "$STORE"`;
  const option = level === "1" ? " --set-compression 1" : "";
  return {
    name: "rustic",
    kind: "peer",
    version: "rustic --version",
    init: `${run} init${option}`,
    save: `cd "$TREE" && ${run} backup --as-path / .`,
    again: `cd "$TREE" && ${run} backup --as-path / .`,
    restore: `${run} restore latest "$TARGET"`,
  };
}

function kopia(): Program {
  const run = `kopia --config-file "$CACHE/kopia.config" --no-progress`;
  return {
    name: "kopia",
    kind: "peer",
    version: "kopia --version",
    init: `mkdir -p "$CACHE" "$STORE" &&
      ${run} repository create filesystem --path "$STORE" --cache-directory "$CACHE/kopia" &&
      ${run} policy set --global --compression zstd-fastest`,
    save: `${run} snapshot create "$TREE"`,
    again: `${run} snapshot create "$TREE"`,
    restore: `${run} restore "$TREE" "$TARGET"`,
  };
}

function borg(level: Level): Program {
  const codec = level === "1" ? "zstd,1" : "lz4";
  return {
    name: "borg",
    kind: "peer",
    version: "borg --version",
    init: `borg init -e none "$STORE"`,
    save: `cd "$TREE" && borg create -C ${codec} "$STORE::first" .`,
    again: `cd "$TREE" && borg create -C ${codec} "$STORE::$RANDOM$RANDOM" .`,
    restore: `mkdir "$TARGET" && cd "$TARGET" && borg extract "$STORE::first"`,
  };
}

function backpak(): Program {
  const run = `backpak --config /dev/null -r "$STORE"`;
  return {
    name: "backpak",
    kind: "peer",
    version: "backpak --help >/dev/null && echo unknown",
    init: `${run} init filesystem`,
    save: `${run} backup "$TREE"`,
    again: `${run} backup "$TREE"`,
    restore:
      `mkdir "$TARGET" && ${run} restore --times --permissions --output "$TARGET" LAST`,
  };
}

/** It knows a tree by its path and restores in place: an empty folder takes the place of the tree. */
function chkpt(): Program {
  const run = `CHKPT_HOME="$STORE" chkpt`;
  return {
    name: "chkpt",
    kind: "peer",
    version: "chkpt --help >/dev/null && echo unknown",
    init: `mkdir "$STORE"`,
    save: `cd "$TREE" && ${run} save --include-deps`,
    again: `cd "$TREE" && ${run} save --include-deps`,
    restore: `mkdir "$TARGET" && unshare -m bash -c '
      mount --bind "$TARGET" "$TREE" && cd "$TREE" && ${run} restore latest'`,
  };
}

function snapdir(): Program {
  return {
    name: "snapdir",
    kind: "peer",
    version: "snapdir --version",
    init: `mkdir "$STORE"`,
    save: `snapdir push --store "file://$STORE" "$TREE"`,
    again: `snapdir push --store "file://$STORE" "$TREE"`,
    restore: `snapdir pull --id $ID --store "file://$STORE" "$TARGET"`,
  };
}

function desync(): Program {
  const tar = (name: string): string =>
    `desync tar -i -s "$STORE/chunks" "$STORE/${name}.caidx" "$TREE"`;
  return {
    name: "desync",
    kind: "peer",
    version: "desync --help >/dev/null && echo unknown",
    init: `mkdir -p "$STORE/chunks"`,
    save: tar("first"),
    again: tar("again"),
    restore: `mkdir "$TARGET" &&
      desync untar -i -s "$STORE/chunks" "$STORE/first.caidx" "$TARGET"`,
  };
}

function casync(): Program {
  const make = (name: string): string =>
    `casync make --cache="$CASYNC_CACHE" --store="$STORE/default.castr" "$STORE/${name}.caidx" "$TREE"`;
  return {
    name: "casync",
    kind: "peer",
    version: "casync --version",
    init: `mkdir -p "$STORE" "$CASYNC_CACHE"`,
    save: make("first"),
    again: make("again"),
    restore:
      `casync extract --store="$STORE/default.castr" "$STORE/first.caidx" "$TARGET"`,
  };
}

function bupstash(): Program {
  const run = `BUPSTASH_KEY="$CACHE/bupstash.key" bupstash`;
  const put = (name: string): string =>
    `${run} put -q --xattrs --send-log "$CACHE/bupstash.log" -r "$STORE" name=${name} "$TREE"`;
  return {
    name: "bupstash",
    kind: "peer",
    version: "bupstash version",
    init: `mkdir -p "$CACHE" && bupstash init -r "$STORE" &&
      bupstash new-key -o "$CACHE/bupstash.key"`,
    save: put("first"),
    again: put("$RANDOM$RANDOM"),
    restore: `mkdir "$TARGET" &&
      ${run} restore -q --ownership --xattrs -r "$STORE" --into "$TARGET" name=first`,
  };
}
