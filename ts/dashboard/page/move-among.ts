/** Lets the arrow keys move among the buttons of a table, which is one stop of the Tab key. */

const STEPS: Readonly<Record<string, readonly [rows: number, columns: number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

export function moveAmong(table: HTMLTableElement): void {
  const buttonAt = (row: number, column: number): HTMLButtonElement | undefined =>
    table.rows[row]?.cells[column]?.querySelector("button") ?? undefined;
  const first = table.querySelector("button");
  if (first !== null) first.tabIndex = 0;
  table.addEventListener("focusin", ({ target }) => {
    for (const other of table.querySelectorAll<HTMLElement>("button[tabindex='0']")) other.tabIndex = -1;
    if (target instanceof HTMLButtonElement) target.tabIndex = 0;
  });
  table.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    const cell = (event.target as HTMLElement).closest("td");
    if (step === undefined || cell === null) return;
    const [rows, columns] = step;
    let [row, column] = [(cell.parentElement as HTMLTableRowElement).rowIndex, cell.cellIndex];
    event.preventDefault();
    // Cells without a button are passed over.
    while (table.rows[row]?.cells[column] !== undefined) {
      row += rows;
      column += columns;
      const next = buttonAt(row, column);
      if (next !== undefined) return next.focus();
    }
  });
}
