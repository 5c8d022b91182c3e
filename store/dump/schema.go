package dump

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"github.com/landwaiter/landwaiter/store/engine"
)

// bookkeeping is goose's own table: it says how the schema was made and is made anew elsewhere.
const bookkeeping = "goose_db_version"

// Tables reads the tables of the database from its schema, in an order in which each comes after
// those that it refers to. A column of a kind that cannot be carried is an error.
func Tables(t *engine.Tx) ([]Table, error) {
	var tables []Table
	query := `SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' AND name <> $1 ORDER BY name`
	if t.Postgres() {
		query = `SELECT table_name::text FROM information_schema.tables
			WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' AND table_name <> $1 ORDER BY 1`
	}
	err := t.Each(query, []any{bookkeeping}, func(rows *sql.Rows) error {
		var table Table
		err := rows.Scan(&table.Name)
		tables = append(tables, table)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing the tables: %w", err)
	}
	for i := range tables {
		if err := tables[i].read(t); err != nil {
			return nil, fmt.Errorf("reading the columns of %s: %w", tables[i].Name, err)
		}
	}
	return inOrder(tables)
}

// read fills in what the schema says of the table.
func (table *Table) read(t *engine.Tx) error {
	columns := `SELECT name, type, 0 FROM pragma_table_xinfo($1) ORDER BY cid`
	parents := `SELECT "table" FROM pragma_foreign_key_list($1)`
	if t.Postgres() {
		columns = `SELECT column_name::text, data_type::text, CASE WHEN is_identity = 'YES' THEN 1 ELSE 0 END
			FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position`
		parents = `SELECT p.relname::text FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid JOIN pg_class p ON p.oid = c.confrelid
			WHERE c.contype = 'f' AND t.relnamespace = current_schema()::regnamespace AND t.relname = $1`
	}
	err := t.Each(columns, []any{table.Name}, func(rows *sql.Rows) error {
		var name, declared string
		var identity bool
		if err := rows.Scan(&name, &declared, &identity); err != nil {
			return err
		}
		if identity {
			table.identity = name
		}
		kind, ok := kinds[strings.ToLower(declared)]
		if !ok {
			return fmt.Errorf("column %s has the type %s, which an export cannot carry", name, declared)
		}
		table.Columns = append(table.Columns, Column{name, kind})
		return nil
	})
	if err != nil {
		return err
	}
	return t.Each(parents, []any{table.Name}, func(rows *sql.Rows) error {
		var parent string
		err := rows.Scan(&parent)
		table.parents = append(table.parents, parent)
		return err
	})
}

// kinds are the types of both engines' schema files.
var kinds = map[string]Kind{
	"integer": Integer, "bigint": Integer,
	"text": Text,
	"blob": Bytes, "bytea": Bytes,
}

// inOrder sorts tables so that each comes after those that it refers to, else by name.
func inOrder(tables []Table) ([]Table, error) {
	var sorted []Table
	placed := map[string]bool{}
	for len(sorted) < len(tables) {
		i := slices.IndexFunc(tables, func(t Table) bool {
			ready := func(parent string) bool { return placed[parent] || parent == t.Name }
			return !placed[t.Name] && !slices.ContainsFunc(t.parents, func(p string) bool { return !ready(p) })
		})
		if i < 0 {
			return nil, fmt.Errorf("the tables refer to each other in a circle")
		}
		placed[tables[i].Name] = true
		sorted = append(sorted, tables[i])
	}
	return sorted, nil
}

// quoted returns the names of the columns for SQL.
func (table Table) quoted() string {
	names := make([]string, 0, len(table.Columns))
	for _, c := range table.Columns {
		names = append(names, quote(c.Name))
	}
	return strings.Join(names, ", ")
}

// quote makes an identifier of a name.
func quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
