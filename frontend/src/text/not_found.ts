export const text = {
  title: "There is no such page",
  hint: "The address may be mistyped, or what was there has been deleted.",
  home: "Go to Today",
} as const;
