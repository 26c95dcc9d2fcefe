/** Parameters of the functions of a library, in C: b bytes, i int, s size_t. Results are an int. */
export type NativeSignatures = Readonly<Record<string, string>>;

/** Functions of a library. A size is a BigInt: what Deno wants for 64 bits. */
export type NativeFunctions<S extends NativeSignatures> = Readonly<
  Record<keyof S, (...values: (Uint8Array | number | bigint)[]) => number>
>;

const DENO_TYPES: Record<string, Deno.NativeType> = {
  b: "buffer",
  i: "i32",
  s: "usize",
};
const KOFFI_TYPES: Record<string, string> = {
  b: "void*",
  i: "int",
  s: "size_t",
};

interface Koffi {
  load(
    path: string,
  ): { func(prototype: string): (...values: unknown[]) => number };
}

/**
 * Loads a library by its name. A result of 64 bits is read as 32.
 *
 * @throws {Error} If it, or one of its functions, is not there.
 */
export async function loadLibrary<S extends NativeSignatures>(
  path: string,
  signatures: S,
): Promise<NativeFunctions<S>> {
  const entries = Object.entries(signatures);
  if (typeof Deno !== "undefined") {
    const declared = entries.map(([name, letters]) => [name, {
      parameters: [...letters].map((letter) => DENO_TYPES[letter]),
      result: "i32",
    }]);
    return Deno.dlopen(path, Object.fromEntries(declared))
      .symbols as unknown as NativeFunctions<S>;
  }
  // A computed name: Deno would download the package for a literal one.
  const specifier = ["ko", "ffi"].join("");
  const koffi: Koffi = (await import(specifier)).default;
  const library = koffi.load(path);
  const functions = entries.map(([name, letters]) => {
    const parameters = [...letters].map((letter) => KOFFI_TYPES[letter]);
    return [name, library.func(`int ${name}(${parameters.join(", ")})`)];
  });
  return Object.fromEntries(functions);
}
