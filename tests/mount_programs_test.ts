// Programs that everybody has, on a mounted snapshot: each has to find what it
// finds in the directory that was saved.
import { tmpdir } from "node:os";
import { MountScene, mountTest } from "./_mount.ts";
import { noise } from "./_snapshots.ts";

/** One of everything that programs look at, but for a repository. */
const MAKE_SOURCE = String.raw`
cd "$SOURCE"
mkdir -p deep/er/est bin empty
printf 'some text\nneedle in it\n' > text
printf 'deep needle\n' > deep/er/est/leaf
: > none
seq 1300000 > lines
for i in $(seq 300); do head -c $((i * 97)) large > "deep/$i"; done
truncate -s 40M sparse
printf middle | dd of=sparse bs=1 seek=20000000 conv=notrunc status=none
ln text deep/hard
ln large deep/er/hard
ln -s text link
ln -s nowhere/at/all dangling
mkfifo fifo
mknod character c 1 3
mknod block b 7 99
printf odd > "$(printf '\377\n\376')"
printf long > "$(printf 'n%.0s' $(seq 255))"
cp "$(type -P true)" bin/true
printf '#!/bin/sh\necho from the script "$@"\n' > bin/script
printf 'console.log("from", require("./part.js"));' > bin/node.js
printf 'module.exports = "the part";' > bin/part.js
printf 'import { part } from "./part.ts"; console.log("from", part);' > bin/deno.ts
printf 'export const part: string = "the part";' > bin/part.ts
chmod 755 bin/true bin/script
chmod 4711 bin/part.js
chmod 000 none
chown 12:34 deep/1
setfattr -n user.one -v 'a value' text
setfattr -n user.two -v 0x00ff00 deep
setfacl -m u:1:r,g:2:rw deep/2
touch -d '1965-04-03 02:01:00.123456789 UTC' deep/3
touch -d '2200-04-03 02:01:00.987654321 UTC' deep/4
touch -h -d '2001-02-03 04:05:06.000000007 UTC' link
sqlite3 base.db "create table t(n integer primary key, body text);
  with recursive c(n) as (select 1 union all select n + 1 from c where n < 5000)
  insert into t select n, hex(randomblob(40)) from c; create index i on t(body)"
touch -d '2010-01-01 00:00:00.5 UTC' empty deep/er .
`;

/** Names and scripts; each has to end well. */
const PROGRAMS: Readonly<Record<string, string>> = {
  "diff": `diff -r --no-dereference -x fifo -x character -x block \\
    "$SOURCE" "$MOUNT"`,
  "rsync finds nothing to do": String.raw`
    said=$(rsync -aHAXn --checksum -i --delete "$SOURCE/" "$MOUNT/")
    test -z "$said" || { echo "$said"; false; }
    said=$(rsync -aHAXn --checksum -i --delete "$MOUNT/" "$SOURCE/")
    test -z "$said" || { echo "$said"; false; }`,
  "tar takes it away and back": String.raw`
    mkdir "$FOLDER/tar"
    tar --format=posix -S --xattrs --xattrs-include='*' --acls -C "$MOUNT" -cf - . |
      tar -S --xattrs --xattrs-include='*' --acls -C "$FOLDER/tar" -xpf -
    said=$(rsync -aHAXn --checksum -i --delete "$SOURCE/" "$FOLDER/tar/")
    test -z "$said" || { echo "$said"; false; }
    test $(du -k "$FOLDER/tar/sparse" | cut -f 1) -lt 1000
    rm -rf "$FOLDER/tar"`,
  "cp -a": String.raw`
    cp -a "$MOUNT" "$FOLDER/copy"
    said=$(rsync -aHAXn --checksum -i --delete "$SOURCE/" "$FOLDER/copy/")
    test -z "$said" || { echo "$said"; false; }
    test $(du -k "$FOLDER/copy/sparse" | cut -f 1) -lt 1000
    rm -rf "$FOLDER/copy"`,
  "find prints all that stat knows": String.raw`
    list() {
      find "$1" -printf '%P %y %i %m %U:%G %s %T@ %C@ %l\0' | sort -z | tr '\0' '\n'
      find "$1" ! -type d -printf '%P %n\0' | sort -z | tr '\0' '\n'
    }
    diff <(list "$SOURCE") <(list "$MOUNT")
    diff <(cd "$SOURCE"; stat -c '%n %t:%T' character block) \
      <(cd "$MOUNT"; stat -c '%n %t:%T' character block)`,
  "du finds the holes": `test $(du -k "$MOUNT/sparse" | cut -f 1) -lt 1000`,
  "getfattr": String.raw`
    list() { cd "$1"; getfattr -R -h -d -m - -e hex . | sort; }
    diff <(list "$SOURCE") <(list "$MOUNT")
    getfattr -n user.one "$MOUNT/text" | grep -q 'a value'
    ! getfattr -n user.none "$MOUNT/text" 2>"$FOLDER/said"
    grep -q 'No such attribute' "$FOLDER/said"`,
  "getfacl": String.raw`
    diff <(getfacl -n "$SOURCE/deep/2" 2>/dev/null | tail -n +2) \
      <(getfacl -n "$MOUNT/deep/2" 2>/dev/null | tail -n +2)`,
  "grep -r": String.raw`
    diff <(cd "$SOURCE"; grep -r needle --devices=skip . | sort) \
      <(cd "$MOUNT"; grep -r needle --devices=skip . | sort)`,
  "sha256sum, eight at once": String.raw`
    sums() {
      cd "$1"; find . -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum
    }
    expected=$(sums "$SOURCE")
    pids=()
    for i in $(seq 8); do
      ( test "$(sums "$MOUNT")" = "$expected" ) & pids+=($!)
    done
    for pid in "\${pids[@]}"; do wait "$pid"; done`.replaceAll("\\$", "$"),
  "programs run from it": String.raw`
    "$MOUNT/bin/true"
    test "$("$MOUNT/bin/script" one two)" = "from the script one two"
    test "$(node "$MOUNT/bin/node.js")" = "from the part"
    test "$("$DENO" run --quiet "$MOUNT/bin/deno.ts")" = "from the part"`,
  "sqlite, with and without mmap": String.raw`
    ask() {
      sqlite3 "file:$1/base.db?mode=ro" "pragma mmap_size=$2" \
        'select count(*), sum(length(body)), min(body) from t' \
        'pragma integrity_check' | tail -n 2
    }
    test "$(ask "$MOUNT" 0)" = "$(ask "$SOURCE" 0)"
    test "$(ask "$MOUNT" 100000000)" = "$(ask "$SOURCE" 0)"
    ask "$MOUNT" 0 | grep -qx ok`,
  "locks": String.raw`
    flock -s "$MOUNT/text" true
    flock -x "$MOUNT/text" bash -c '! flock -n -x "$MOUNT/text" true'`,
  "O_DIRECT": String.raw`
    dd if="$MOUNT/large" iflag=direct bs=64K status=none | cmp - "$SOURCE/large"
    dd if="$MOUNT/lines" iflag=direct bs=1M skip=1 count=2 status=none |
      cmp - <(dd if="$SOURCE/lines" bs=1M skip=1 count=2 status=none)`,
  "sendfile and pipes": String.raw`
    cat "$MOUNT/large" "$MOUNT/lines" | cmp - <(cat "$SOURCE/large" "$SOURCE/lines")
    tail -c 1000 "$MOUNT/large" | cmp - <(tail -c 1000 "$SOURCE/large")`,
  "a fifo is one": String.raw`
    timeout 10 bash -c 'echo through > "$MOUNT/fifo" & cat "$MOUNT/fifo"' |
      grep -qx through`,
  "overlayfs on top": String.raw`
    upper=$(mktemp -d -p /dev/shm)
    mkdir "$upper/upper" "$upper/work" "$upper/all"
    unshare -m bash -euc '
      mount -t overlay overlay "$1/all" \
        -o "lowerdir=$MOUNT,upperdir=$1/upper,workdir=$1/work"
      cd "$1/all"
      echo more >> text
      rm deep/1
      echo new > deep/new
      cmp large "$SOURCE/large"
      grep -q more text
    ' bash "$upper"
    rm -rf "$upper"
    cmp "$MOUNT/text" "$SOURCE/text"
    test -e "$MOUNT/deep/1"`,
  "df and statfs": String.raw`
    df "$MOUNT" | tail -n 1 | grep -q "$MOUNT"
    test "$(stat -f -c %T "$MOUNT")" = fuseblk -o "$(stat -f -c %T "$MOUNT")" = fuse`,
};

mountTest("programs find in a mount what is in the source", async (t) => {
  await using scene = new MountScene(tmpdir());
  Deno.writeFileSync(`${scene.source}/large`, noise(3_000_000, 1));
  await scene.bash(MAKE_SOURCE);
  const { tree } = await scene.save();
  await scene.mount(tree);
  for (const [name, script] of Object.entries(PROGRAMS)) {
    await t.step(name, async () => void await scene.bash(script));
  }
});

const READ_ONLY = "Read-only file system";

/** Attempts to write. */
const WRITES: readonly string[] = [
  `: > "$MOUNT/new"`,
  `: > "$MOUNT/text"`,
  `: >> "$MOUNT/text"`,
  `mkdir "$MOUNT/new"`,
  `mkfifo "$MOUNT/new"`,
  `ln -s text "$MOUNT/new"`,
  `ln "$MOUNT/text" "$MOUNT/new"`,
  `mv "$MOUNT/text" "$MOUNT/new"`,
  `rm "$MOUNT/text"`,
  `rmdir "$MOUNT/empty"`,
  `chmod 600 "$MOUNT/text"`,
  `chown 1 "$MOUNT/text"`,
  `touch "$MOUNT/text"`,
  `truncate -s 1 "$MOUNT/text"`,
  `setfattr -n user.new -v 1 "$MOUNT/text"`,
  `setfattr -x user.one "$MOUNT/text"`,
  `fallocate -l 10 "$MOUNT/text"`,
];

mountTest(
  "every attempt to write is told that the mount is read-only",
  async () => {
    await using scene = new MountScene(tmpdir());
    await scene.bash(`
    echo text > "$SOURCE/text"; mkdir "$SOURCE/empty"
    setfattr -n user.one -v 1 "$SOURCE/text"`);
    const { tree } = await scene.save();
    await scene.mount(tree);
    for (const write of WRITES) {
      await scene.bash(
        `! { ${write}; } 2>"$FOLDER/said" || { echo "it could"; exit 1; }
      grep -q "${READ_ONLY}" "$FOLDER/said" || { cat "$FOLDER/said"; exit 1; }`,
      );
    }
    await scene.bash(`diff -r "$SOURCE" "$MOUNT"`);
  },
);

mountTest(
  "git works in a mounted repository and reads no file again",
  async (t) => {
    await using scene = new MountScene(tmpdir());
    await scene.bash(String.raw`
    cd "$SOURCE"
    git init -q
    for i in $(seq 200); do mkdir -p "d$((i % 7))"; echo "$i" > "d$((i % 7))/$i"; done
    git add -A
    git -c user.name=a -c user.email=a@b commit -qm first
    for i in $(seq 30); do echo more >> "d1/$((i * 7 + 1))" || true; done
    git add -A
    git -c user.name=a -c user.email=a@b commit -qm second
    git gc -q
    git status --porcelain
    # An index as young as its files would make git read them again.
    touch -d '1 hour ago' d*/*
    git update-index -q --refresh`);
    const { tree } = await scene.save();
    await scene.mount(tree);
    const programs = {
      "status": `test -z "$(git -C "$MOUNT" status --porcelain)"`,
      "status reads no file": String.raw`
      cd "$MOUNT"
      strace -f -e trace=openat -o "$FOLDER/calls" git status --porcelain
      ! grep -E '"d[0-9]/[0-9]+"' "$FOLDER/calls"`,
      "log": `diff <(git -C "$SOURCE" log -p) <(git -C "$MOUNT" log -p)`,
      "fsck": `git -C "$MOUNT" fsck --full --strict`,
      "grep": `git -C "$MOUNT" grep -q more`,
      "clone": String.raw`
      git clone -q "$MOUNT" "$FOLDER/clone"
      diff -r -x .git "$SOURCE" "$FOLDER/clone"`,
    };
    for (const [name, script] of Object.entries(programs)) {
      await t.step(name, async () => void await scene.bash(script));
    }
  },
);
