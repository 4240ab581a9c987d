export interface Part {
  text: string;
  /** Whether it is one of the excerpts. */
  isMarked: boolean;
}

/** Return the text in parts, so that those that are the excerpts can be marked. */
export function marked(text: string, excerpts: readonly string[]): Part[] {
  const wanted = excerpts.filter((excerpt) => excerpt.length > 0);
  const parts: Part[] = [];
  let rest = text;
  while (rest.length > 0) {
    const [at, excerpt] = wanted
      .map((each) => [rest.indexOf(each), each] as const)
      .filter(([index]) => index >= 0)
      .reduce((first, each) => (each[0] < first[0] ? each : first), [rest.length, ""] as const);
    if (at > 0) parts.push({ text: rest.slice(0, at), isMarked: false });
    if (excerpt) parts.push({ text: excerpt, isMarked: true });
    rest = rest.slice(at + excerpt.length);
  }
  return parts;
}
