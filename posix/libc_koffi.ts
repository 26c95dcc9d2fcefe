import { type Libc, SIGNATURES } from "./libc.ts";

const TYPES: Record<string, string> = {
  b: "void*",
  i: "int",
  u: "unsigned int",
  s: "size_t",
  l: "int64_t",
};

interface Koffi {
  load(
    path: string,
  ): { func(prototype: string): (...values: unknown[]) => unknown };
  view(address: unknown, size: number): ArrayBuffer;
  address(view: Uint8Array): bigint;
}

/** Functions with a result of 64 bits; the others give an int. */
const WIDE = new Set(
  ("syscall read pread write pwrite writev lseek getdents64 readlinkat flistxattr llistxattr " +
    "fgetxattr lgetxattr recvmsg").split(" "),
);

/**
 * The C library by `npm:koffi`, which is a dependency that may be absent.
 *
 * @throws {Error} If koffi, the library or one of its functions cannot be loaded.
 */
export async function koffiLibc(): Promise<Libc> {
  // A computed name: Deno would download the package for a literal one.
  const specifier = ["ko", "ffi"].join("");
  const koffi: Koffi = (await import(specifier)).default;
  const library = koffi.load("libc.so.6");
  // As on Deno: a plain load, before which no call can collect garbage and change the number.
  const errnoLocation = library.func("void *__errno_location()")();
  const errno = new Int32Array(koffi.view(errnoLocation, 4));
  const calls: Record<string, unknown> = {
    errno: () => errno[0],
    addressOf: (view: Uint8Array) => koffi.address(view),
  };
  for (const [name, letters] of Object.entries(SIGNATURES)) {
    const parameters = [...letters].map((letter) => TYPES[letter]).join(", ");
    calls[name] = library.func(
      `${WIDE.has(name) ? "int64_t" : "int"} ${name}(${parameters})`,
    );
  }
  return calls as unknown as Libc;
}
