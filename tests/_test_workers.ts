/** Counts the workers that are started. */
export class WorkerCount implements Disposable {
  count = 0;
  readonly #worker = globalThis.Worker;

  constructor() {
    const onStart = (): void => void this.count++;
    globalThis.Worker = class extends this.#worker {
      constructor(url: string | URL, options?: WorkerOptions) {
        super(url, options);
        onStart();
      }
    };
  }

  [Symbol.dispose](): void {
    globalThis.Worker = this.#worker;
  }
}
