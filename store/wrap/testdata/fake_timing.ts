import type { Timing } from "../timing.ts";

/** A clock that stands still, but for what waits: pauses are over at once, alarms ring by hand. */
export class FakeTiming implements Timing {
  /** The time in milliseconds. */
  time = 0;
  /** What {@link random} answers. */
  chance = 0.5;
  /** The pauses that were made, in milliseconds. */
  readonly pauses: number[] = [];
  readonly #alarms = new Set<{ at: number; ring: () => void }>();
  readonly #startDate: number;

  constructor(startDate: number = Date.UTC(2026, 10, 20)) {
    this.#startDate = startDate;
  }

  /** How many alarms are set. */
  get alarmCount(): number {
    return this.#alarms.size;
  }

  now(): number {
    return this.time;
  }

  date(): number {
    return this.#startDate + this.time;
  }

  random(): number {
    return this.chance;
  }

  async wait(ms: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    this.pauses.push(ms);
    this.time += ms;
    await Promise.resolve();
    signal?.throwIfAborted();
  }

  alarm(ms: number, ring: () => void): () => void {
    const alarm = { at: this.time + ms, ring };
    this.#alarms.add(alarm);
    return () => this.#alarms.delete(alarm);
  }

  /** Lets time pass, and rings the alarms that come due. */
  pass(ms: number): void {
    this.time += ms;
    for (const alarm of [...this.#alarms]) {
      if (alarm.at > this.time) continue;
      this.#alarms.delete(alarm);
      alarm.ring();
    }
  }
}
