/** The part of the global `process` that is used here. */
interface ProcessLike {
  getBuiltinModule(name: string): unknown;
}

/**
 * A built-in module, loaded when it is first needed: a static import would cost every user of this
 * package's start about 10 ms, and a dynamic one cannot be had at once.
 */
export function builtin<Module>(name: string): Module {
  const { process } = globalThis as unknown as { process: ProcessLike };
  return process.getBuiltinModule(name) as Module;
}
