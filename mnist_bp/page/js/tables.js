/* Tables whose cells are written anew only where they changed. */

import { element, isNew, setText } from "./dom.js";
import { spokenFormula } from "./formula.js";

/* Show a table.
 *
 * columns: [{what, name, words}], name a formula and words the same for those who hear it, or words alone; rows: [{id,
 * name, words, look, cells}], name a formula if there are words, or else text; cells a text for each column. Rows and
 * columns that stay the same keep their elements. */
export function renderTable(table, first, columns, rows) {
  const layout = JSON.stringify([first, columns, rows.map(({ id, name }) => [id, name])]);
  if (isNew(table, "layout", layout)) table.replaceChildren(head(first, columns), body(columns, rows));
  for (const [i, { look, cells }] of rows.entries()) {
    const row = table.tBodies[0].rows[i];
    if (isNew(row, "look", look)) row.className = look;
    for (const [column, text] of cells.entries()) setText(row.cells[column + 1], text);
  }
}

function head(first, columns) {
  const cells = columns.map(({ what, name, words }) =>
    element("th", { class: what, scope: "col" }, ...(name ? spokenFormula(name, words) : [words])),
  );
  return element("thead", {}, element("tr", {}, element("th", { scope: "col" }, first), cells));
}

function body(columns, rows) {
  const row = ({ id, name, words }) =>
    element(
      "tr",
      { "data-j": id },
      element("th", { scope: "row" }, words ? spokenFormula(name, words) : name),
      columns.map(({ what }) => element("td", { class: what, "data-what": what })),
    );
  return element("tbody", {}, rows.map(row));
}
