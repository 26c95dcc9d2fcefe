#!/usr/bin/env python3
"""Lists and extracts a snapshot of a store, written from FORMAT.md alone.

    reader.py STORE                 lists the records
    reader.py STORE NAME            lists what a record or a tag names
    reader.py STORE NAME TARGET     writes it into TARGET, which must not exist

It looks into the packs alone, as the index says nothing that they do not, and holds
one file at a time in memory. It needs Linux and the programs `b3sum` and `zstd`.
"""
import binascii, functools, json, os, re, struct, subprocess, sys
from pathlib import Path

CONTENT, RECIPE, TREE, ATTRIBUTES = 1, 2, 3, 4
CONTEXTS = {CONTENT: None, RECIPE: "snap 1 recipe", TREE: "snap 1 tree", ATTRIBUTES: "snap 1 attributes"}
TYPES = {1: "-", 2: "x", 3: "d", 4: "l", 5: "p", 6: "c", 7: "b"}
NODE_TYPES = {5: 0o010000, 6: 0o020000, 7: 0o060000}


class Damaged(Exception):
    """Bytes that are not what the format says."""


def check(holds, need):
    if not holds:
        raise Damaged(f"Cannot read store as {need}")


def blake3(data, context=None):
    mode = [] if context is None else ["--derive-key", context]
    run = subprocess.run(["b3sum", "--no-names", *mode], input=data, stdout=subprocess.PIPE, check=True)
    return bytes.fromhex(run.stdout.decode().strip())


def show(raw):
    """Bytes as text: `%`, control characters and what is not UTF-8 are escaped."""
    text = raw.decode("utf-8", "surrogateescape")
    bare = re.sub("[%\x00-\x1f\x7f]", lambda found: f"%{ord(found[0]):02X}", text)
    return re.sub("[\udc80-\udcff]", lambda found: f"%{ord(found[0]) - 0xdc00:02X}", bare)


class Fields:
    """Takes fields one after the other, and never more than there are bytes."""

    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def take(self, size):
        check(size <= len(self.data) - self.at, f"{size} bytes are needed at {self.at}")
        self.at += size
        return self.data[self.at - size:self.at]

    def column(self, letter, count):
        """Numbers, one after the other: I is u32, Q is u64, q is i64, H is u16, B is u8."""
        return struct.unpack(f"<{count}{letter}", self.take(struct.calcsize("<" + letter) * count))

    def ids(self, count):
        return [row[0] for row in struct.iter_unpack("32s", self.take(32 * count))]

    def varint(self):
        number, shift, byte = 0, 0, 128
        while byte > 127:
            byte = self.take(1)[0]
            number |= (byte & 127) << shift
            shift += 7
            check(number < 2**53 and (byte or shift == 7), "a varint has its shortest form")
        return number

    def end(self):
        check(self.at == len(self.data), f"{len(self.data) - self.at} bytes are left over")


def header(data, kind):
    fields = Fields(data)
    check(fields.take(8) == b"snap" + kind, f"a file of kind {kind.decode()} is needed")
    version, read_features, _, body_size = fields.column("I", 4)
    check(version == 1 and read_features == 0, "this reader knows version 1 and no features")
    fields.take(16 + 32)
    return fields, body_size


def document(path, kind):
    data = path.read_bytes()
    fields, size = header(data, kind)
    check(size <= 1 << 20, "a document has at most 1 MiB")
    body = fields.take(size)
    check(fields.take(32) == blake3(data[:72 + size]), f"{path} has to match its sum")
    fields.end()
    return json.loads(body.decode())


def lz4(data, size):
    fields, out = Fields(data), bytearray()

    def length(nibble):
        byte = 255 if nibble == 15 else 0
        while byte == 255:
            byte = fields.take(1)[0]
            nibble += byte
        return nibble

    while fields.at < len(data):
        token = fields.take(1)[0]
        out += fields.take(length(token >> 4))
        if fields.at == len(data):
            break
        offset, = fields.column("H", 1)
        count = length(token & 15) + 4
        check(0 < offset <= len(out) and len(out) + count <= size, "an LZ4 match lies within the frame")
        repeat = bytes(out[-offset:])
        out += (repeat * (count // offset + 1))[:count]
    return bytes(out)


def zstd(data, size):
    command = ["sh", "-c", f"zstd -dcq | head -c {size + 1}"]
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout


def is_hex(text, size):
    return isinstance(text, str) and re.fullmatch(f"[0-9a-f]{{{size}}}", text) is not None


def is_time(text):
    return isinstance(text, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z", text) is not None


def check_entry(body):
    """An entry of a tag, alone or as the head of a slot."""
    check(isinstance(body, dict) and is_time(body.get("time")), "an entry of a tag has a time")
    check(is_hex(body.get("tree"), 64) and is_hex(body.get("record"), 64), "an entry of a tag names a record")
    check(is_hex(body.get("nonce"), 32) and is_hex(body.get("saveId"), 32), "an entry of a tag has nonce and save id")
    return body["time"], body["nonce"]


class Store:
    def __init__(self, root):
        self.root = Path(root)
        document(newest(self.root / "config"), b"CONF")
        self.places = {}  # (id, kind): path of a pack, frame row, offset, size
        for path in self.root.glob("packs/*/*"):
            self.read_table(path)

    def read_table(self, path):
        data = path.read_bytes()
        header(data, b"PACK")
        footer = Fields(data, max(0, len(data) - 64))
        offset, size, frame_count, object_count = footer.column("I", 4)
        check(data[-8:] == b"snapPEND" and offset + size == len(data) - 64, f"{path} ends with a footer")
        table = Fields(Fields(data, offset).take(size))
        check(blake3(table.data) == footer.take(32), f"the table of {path} has to match its sum")
        frames = [table.column("I", 5) for _ in range(frame_count)]
        objects = [struct.unpack("<32s4I", table.take(48)) for _ in range(object_count)]
        table.end()
        for id, kind, number, offset, size in objects:
            check(number < frame_count, "an object has a frame")
            self.places[id, kind] = path, frames[number], offset, size

    @functools.lru_cache(maxsize=16)
    def frame(self, path, row):
        offset, stored, packed, crc, _ = row
        plain, codec = packed & 0xffffff, packed >> 24
        check(plain <= 4 << 20, "a frame has at most 4 MiB")
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read(stored)
        check(len(data) == stored and binascii.crc32(data) == crc, f"{path} has to match the sum of a frame")
        check(codec in (0, 1, 2), f"this reader knows the codecs 0, 1 and 2: found {codec}")
        data = data if codec == 0 else lz4(data, plain) if codec == 1 else zstd(data, plain)
        check(len(data) == plain, f"a frame has {plain} bytes: found {len(data)}")
        return data

    def stored(self, id, kind):
        """The bytes of an object as they are stored, checked; None if no pack has it."""
        if (id, kind) not in self.places:
            return None
        path, row, offset, size = self.places[id, kind]
        data = Fields(self.frame(path, row), offset).take(size)
        if kind == RECIPE and data[5:6] == b"\x01":
            check(data[-64:-32] == id and blake3(data[:-32], CONTEXTS[RECIPE]) == data[-32:], "a recipe has to match its sum")
        else:
            check(blake3(data, CONTEXTS[kind]) == id, f"object {id.hex()} has to match its id")
        return data

    def read(self, id, kind, size=None):
        """The whole of an object, stored as one or as a recipe."""
        data = b"" if size == 0 else self.stored(id, kind)
        if data is None:
            root = self.stored(id, RECIPE)
            check(root is not None and root[5] == 1 and root[6] == kind, f"object {id.hex()} is needed")
            data = b"".join(self.pieces(root))
            check(blake3(data, CONTEXTS[kind]) == id, f"object {id.hex()} has to match its id")
        check(size is None or len(data) == size, f"object {id.hex()} has {size} bytes")
        return data

    def pieces(self, node):
        fields = Fields(node)
        check(fields.take(4) == b"RCP1", "a recipe begins with RCP1")
        level, is_root, _, _ = fields.column("B", 4)
        count, _ = fields.column("I", 2)
        total, = fields.column("Q", 1)
        ids, sizes, kinds = fields.ids(count), fields.column("Q", count), fields.column("B", count)
        fields.take(64 if is_root else 0)
        fields.end()
        check(sum(sizes) == total, "the rows of a recipe add up")
        for id, size, kind in zip(ids, sizes, kinds):
            if kind == 2:
                yield bytes(size)
                continue
            check(kind == (3 if level else 1), "a recipe has chunks below and nodes above")
            data = self.stored(id, RECIPE if level else CONTENT)
            check(data is not None, f"chunk {id.hex()} is needed")
            if level == 0:
                check(len(data) == size, "a chunk has the size of its row")
                yield data
            else:
                check(data[5] == 0 and data[4] == level - 1, "the levels of a recipe go down")
                yield from self.pieces(data)

    def records(self):
        """All records, oldest first, each with its id: once, whoever wrote it, unless all of these are void."""
        pattern = re.compile("([0-9a-f]{64})-([0-9a-f]{64})-([0-9a-f]{32})")
        names = [match for path in self.root.glob("snapshots/*") if (match := pattern.fullmatch(path.name))]
        voids = {path.name for path in self.root.glob("gc/void/*")}  # after the records
        found, error = {}, {}
        for match in names:
            tree, id, save_id = match.groups()
            if save_id in voids or (tree, id) in found:
                continue
            try:
                found[tree, id] = self.record(self.root / "snapshots" / match[0], tree, id)
            except Damaged as damage:
                error[tree, id] = damage
        for key in error.keys() - found.keys():
            raise error[key]
        return sorted(((id, body) for (_, id), body in found.items()), key=lambda row: row[1]["time"])

    def record(self, path, tree, id):
        body = document(path, b"RECD")
        check(blake3(path.read_bytes()).hex() == id, f"{path} has to match the id in its name")
        check(body.get("tree") == tree and is_hex(body.get("page"), 64), f"{path} names a root, that of its name")
        check(is_time(body.get("time")), f"{path} has a time")
        return body

    def tagged(self, log):
        """The record that a tag names: the head of its last slot."""
        path = newest(log)
        body = document(path, b"TAGE")
        check(check_entry(body) <= check_entry(body.get("head")), f"the head of {path} is not before its own entry")
        check(body["head"]["record"] != "0" * 64, f"{log.name} was not deleted")
        return body["head"]["record"]

    def resolve(self, name):
        escaped = re.sub("[A-Z]", lambda found: f"%{ord(found[0]):02x}", name)
        log = self.root / "tags" / escaped
        if "/" not in name and log.is_dir():
            name = self.tagged(log)
        found = [body for id, body in self.records() if id.startswith(name)]
        check(len(found) == 1, f"{name} names one record: found {len(found)}")
        return found[0]

    def directory(self, tree_id, page_id):
        """The attributes of a directory, and its entries, each with its own."""
        tree = self.read(tree_id, TREE)
        fields = Fields(tree)
        check(fields.take(4) == b"TRE1", "a tree begins with TRE1")
        count, name_size, target_size = fields.column("I", 3)
        ids, values = fields.ids(count), fields.column("Q", count)
        ends, kinds = fields.column("I", count), fields.column("B", count)
        names, targets = fields.take(name_size), fields.take(target_size)
        fields.end()
        rows, page_ids = attributes(self.read(page_id, ATTRIBUTES), tree_id)
        check(len(rows) == count + 1 and len(page_ids) == kinds.count(3), "a page belongs to its tree")
        subpages, entries, before = iter(page_ids), [], b""
        for id, value, start, end, kind, row in zip(ids, values, (0, *ends), ends, kinds, rows[1:]):
            name = names[start:end]
            check(name not in (b".", b"..") and not set(name) & {0, 47}, "a name is one segment")
            check(name > before and kind in TYPES, "names ascend, and kinds are 1 to 7")
            before = name
            offset = value & 0xffffffff
            target = Fields(targets, offset).take(value >> 32) if kind == 4 else None
            page = next(subpages) if kind == 3 else None
            entries.append(dict(row, name=name, kind=kind, id=id, value=value, target=target, page=page))
        return rows[0], entries


def newest(folder):
    return max(folder.iterdir(), key=lambda path: int(path.name))


def attributes(data, tree_id):
    """The rows of an attribute page, and the page ids of the sub-directories."""
    fields = Fields(data)
    check(fields.take(4) == b"ATT1", "an attribute page begins with ATT1")
    count, directories, owner_count, names_size, extra_count, extra_size, _ = fields.column("I", 7)
    check(fields.take(32) == tree_id, "a page belongs to its tree")
    page_ids = fields.ids(directories)
    layout = {"seconds": "q", "changed": "q", "inode": "Q", "ns": "I", "changedNs": "I",
              "links": "I", "owner": "I", "mode": "H", "device": "H"}
    columns = [fields.column(letter, count) for letter in layout.values()]
    owners = [fields.column("I", 4) for _ in range(owner_count)]
    fields.take(names_size)
    extra_rows, ends = fields.column("I", extra_count), fields.column("I", extra_count)
    extras = fields.take(extra_size)
    fields.end()
    rows = [dict(zip(layout, row), xattrs={}, holes=None) for row in zip(*columns)]
    for row in rows:
        check(row["owner"] < owner_count, "an owner has a row")
        row["uid"], row["gid"] = owners[row["owner"]][:2]
    for number, start, end in zip(extra_rows, (0, *ends), ends):
        check(number < count and start <= end <= extra_size, "extras belong to a row")
        items = Fields(extras[start:end])
        while items.at < end - start:
            read_extra(items, rows[number])
    return rows, page_ids


def read_extra(items, row):
    """One attribute or hole list: its bytes, or the size and id of the content that has them."""
    tag = items.take(1)[0]
    check(1 <= tag <= 4, f"this reader knows the extras 1 to 4: found {tag}")
    name = items.take(items.varint()) if tag < 3 else None
    size = items.varint()
    value = (size, items.take(32)) if tag in (2, 4) else items.take(size)
    if name is None:
        row["holes"] = value
    else:
        row["xattrs"][name] = value


class Extraction:
    """Writes a snapshot into a directory that it makes."""

    def __init__(self, store):
        self.store, self.links = store, {}

    def directory(self, path, tree_id, page_id):
        os.mkdir(path, 0o700)
        own, entries = self.store.directory(tree_id, page_id)
        for entry in entries:
            self.entry(os.path.join(path, entry["name"]), entry)
        self.attributes(path, own)

    def entry(self, path, entry):
        kind, value, inode = entry["kind"], entry["value"], (entry["device"], entry["inode"])
        if kind == 3:
            return self.directory(path, entry["id"], entry["page"])
        if entry["links"] > 1 and inode in self.links:
            return os.link(self.links[inode], path, follow_symlinks=False)
        self.links[inode] = path
        if kind <= 2:
            self.file(path, entry)
        elif kind == 4:
            os.symlink(entry["target"], path)
        else:
            os.mknod(path, NODE_TYPES[kind] | 0o600, os.makedev(value & 0xffffffff, value >> 32))
        self.attributes(path, entry)

    def file(self, path, entry):
        content, at = self.store.read(entry["id"], CONTENT, entry["value"]), 0
        holes = Fields(self.extra(entry["holes"]) if entry["holes"] else b"")
        with open(path, "xb") as file:
            while holes.at < len(holes.data):
                start = at + holes.varint()
                file.write(content[at:start])
                at = start + holes.varint()
                check(content.count(0, start, at) == at - start, "holes read as zeros")
                file.seek(at)
            file.write(content[at:])
            file.truncate(len(content))

    def extra(self, value):
        return self.store.read(value[1], CONTENT, value[0]) if isinstance(value, tuple) else value

    def attributes(self, path, row):
        if os.geteuid() == 0:
            os.lchown(path, row["uid"], row["gid"])
        for name, value in row["xattrs"].items():
            os.setxattr(path, name, self.extra(value), follow_symlinks=False)
        if not os.path.islink(path):
            os.chmod(path, row["mode"])
        ns = row["seconds"] * 10**9 + row["ns"]
        if ns or row["inode"]:
            os.utime(path, ns=(ns, ns), follow_symlinks=False)


def listing(store, path, tree_id, page_id):
    for entry in store.directory(tree_id, page_id)[1]:
        kind, below = entry["kind"], os.path.join(path, entry["name"])
        size = entry["value"] if kind <= 2 else "-"
        print(TYPES[kind], f"{entry['mode']:04o}", size, f"{entry['seconds']}.{entry['ns']:09}", show(below))
        if kind == 3:
            listing(store, below, entry["id"], entry["page"])


def main(root, name=None, target=None):
    sys.setrecursionlimit(10_000)
    store = Store(root)
    if name is None:
        for id, body in store.records():
            print(id, body["tree"], body["time"], body["host"], body["source"])
        return
    record = store.resolve(name)
    ids = bytes.fromhex(record["tree"]), bytes.fromhex(record["page"])
    if target is None:
        listing(store, b"", *ids)
    else:
        Extraction(store).directory(os.fsencode(target), *ids)


if __name__ == "__main__":
    if not 2 <= len(sys.argv) <= 4:
        sys.exit(__doc__)
    try:
        main(*sys.argv[1:])
    except (Damaged, OSError, subprocess.CalledProcessError) as error:
        sys.exit(str(error))
