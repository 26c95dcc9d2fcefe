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
 * Opens a library by its name. On Deno it is opened at once, as a library that a test opens counts
 * as that test's leak; its functions are made ready when they are asked for, which takes longer.
 *
 * @returns Gives the functions; it throws an error where the library, or one of them, is not there.
 */
export function openLibrary<S extends NativeSignatures>(
  path: string,
  signatures: S,
): () => NativeFunctions<S> {
  if (typeof Deno === "undefined") {
    return () => named(signatures, koffiFunctions(path));
  }
  const functions = denoFunctions(path, signatures);
  return () => named(signatures, functions);
}

type Call = (...values: unknown[]) => number;

function named<S extends NativeSignatures>(
  signatures: S,
  functions: (name: string, letters: string) => Call,
): NativeFunctions<S> {
  const entries = Object.entries(signatures)
    .map(([name, letters]) => [name, functions(name, letters)]);
  return Object.fromEntries(entries);
}

function denoFunctions(
  path: string,
  signatures: NativeSignatures,
): (name: string, letters: string) => Call {
  const declared = Object.keys(signatures)
    .map((name) => [name, { type: "pointer" }]);
  let symbols: Record<string, Deno.PointerObject>;
  try {
    symbols = Deno.dlopen(path, Object.fromEntries(declared))
      .symbols as typeof symbols;
  } catch (error) {
    return () => {
      throw error;
    };
  }
  return (name, letters) => {
    const definition: Deno.ForeignFunction = {
      parameters: [...letters].map((letter) => DENO_TYPES[letter]),
      result: "i32",
    };
    const address = symbols[name] as Deno.PointerObject<typeof definition>;
    const pointer = new Deno.UnsafeFnPointer(address, definition);
    return (...values) => pointer.call(...values as []) as number;
  };
}

function koffiFunctions(
  path: string,
): (name: string, letters: string) => Call {
  const { createRequire } = process.getBuiltinModule("node:module");
  const koffi: Koffi = createRequire(import.meta.url)("koffi");
  const library = koffi.load(path);
  return (name, letters) => {
    const parameters = [...letters].map((letter) => KOFFI_TYPES[letter]);
    return library.func(`int ${name}(${parameters.join(", ")})`);
  };
}
