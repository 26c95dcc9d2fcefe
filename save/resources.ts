/**
 * Resources that are closed at the end, the last one first: `using`, which Node 22 lacks.
 */
export class Resources {
  readonly #resources: (Disposable | AsyncDisposable)[] = [];

  /** Adds a resource. */
  use<T extends Disposable | AsyncDisposable>(resource: T): T {
    this.#resources.push(resource);
    return resource;
  }

  /** Closes all. */
  async close(): Promise<void> {
    const resource = this.#resources.pop();
    if (resource === undefined) return;
    try {
      if (Symbol.asyncDispose in resource) {
        await resource[Symbol.asyncDispose]();
      } else resource[Symbol.dispose]();
    } finally {
      await this.close();
    }
  }
}
