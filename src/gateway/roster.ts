/**
 * Who is here now, when they come and go all the time.
 *
 * An array, no `Set`: a `Set` under steady adding and deleting is rehashed again and again, V8 chains each old table to the
 * next, and through that chain everybody who was ever in it outlives the collections of the young generation (measured: two
 * thirds of the time spent in collections).
 */
export interface Listed {
  /** Its place in the roster; the roster's own business, `NOT_LISTED` to begin with. */
  rosterIndex: number;
}

export const NOT_LISTED = -1;

export class Roster<T extends Listed> {
  readonly #members: T[] = [];

  get size(): number {
    return this.#members.length;
  }

  add(member: T): void {
    member.rosterIndex = this.#members.push(member) - 1;
  }

  delete(member: T): void {
    const index = member.rosterIndex;
    if (index === NOT_LISTED) return;
    member.rosterIndex = NOT_LISTED;
    const last = this.#members.pop()!;
    if (last === member) return;
    this.#members[index] = last;
    last.rosterIndex = index;
  }

  /** As they are now: who is told to leave may do so at once. */
  all(): readonly T[] {
    return [...this.#members];
  }
}
