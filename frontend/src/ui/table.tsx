import type { ReactNode } from "react";

interface TableProps {
  /** What the table is of. */
  label: string;
  columns: readonly string[];
  /** Its rows, each with a `<th scope="row">`. */
  children: ReactNode;
}

/** A table that scrolls sideways by itself where the screen is too narrow for it. */
export function Table({ label, columns, children }: TableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by the keyboard.
    <section aria-label={label} tabIndex={0} className="relative overflow-x-auto">
      <table className="w-full text-left text-sm [&_td]:py-2 [&_td]:pr-4 [&_th]:py-2 [&_th]:pr-4 [&_th]:font-medium">
        <thead className="text-soft">
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col" className="whitespace-nowrap">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody className="divide-y divide-line border-t border-line">{children}</tbody>
      </table>
    </section>
  );
}
