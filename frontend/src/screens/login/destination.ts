/** Return the address to go to: one of this dashboard, whatever stands in the query. */
export function destination(to: string | null): string {
  const isOwn = to?.startsWith("/") && !/^[/\\]{2}/.test(to);
  return to && isOwn ? to : "/";
}
