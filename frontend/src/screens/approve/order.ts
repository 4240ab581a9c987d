/** Return the id that is `step` after the current one; the first when there is no such one. */
export function neighbour(ids: readonly string[], current: string | null, step: 1 | -1) {
  const at = current === null ? -1 : ids.indexOf(current);
  return at < 0 ? ids[0] : ids[at + step];
}

/** Return what to show once the current one is decided: the next one, else the one before. */
export function successor(ids: readonly string[], current: string): string | undefined {
  const next = neighbour(ids, current, 1);
  return next !== undefined && next !== current ? next : neighbour(ids, current, -1);
}
