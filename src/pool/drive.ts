/** The loop of one request: takes steps, waits, and hands attempts to whoever can make them. No recursion, no policy. */
import { type Clock, sleep } from '../runtime/index.ts';
import type { Course, CourseStep } from './course.ts';

export type AttemptStep<U> = CourseStep<U> & { readonly kind: 'attempt' };

/** A value ends the request; without one, the course was told how the attempt failed. */
export type Attempted<T> = { readonly value: T } | undefined;

export async function drive<T, U>(
  course: Course<U>,
  clock: Clock,
  signal: AbortSignal | undefined,
  attempt: (step: AttemptStep<U>) => Promise<Attempted<T>>,
): Promise<T> {
  while (true) {
    throwIfAborted(course, signal);
    const step = course.next();
    switch (step.kind) {
      case 'give-up':
        throw step.error;
      case 'wait':
        await wait(course, clock, step.delayMs, signal);
        break;
      case 'attempt': {
        const attempted = await attempt(step);
        if (attempted !== undefined) return attempted.value;
      }
    }
  }
}

async function wait<U>(course: Course<U>, clock: Clock, delayMs: number, signal: AbortSignal | undefined) {
  try {
    await sleep(clock, delayMs, signal);
  } catch (error) {
    course.cancelled();
    throw error;
  }
}

export function throwIfAborted<U>(course: Course<U>, signal: AbortSignal | undefined): void {
  if (signal?.aborted !== true) return;
  course.cancelled();
  throw signal.reason;
}
