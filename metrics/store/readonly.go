package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"strings"

	"github.com/mattn/go-sqlite3"
)

// openReadOnly opens the database for a user's SQL. Opening the file read-only is
// not enough: ATTACH, and VACUUM INTO by way of it, would make other files.
func openReadOnly(path string) *sql.DB {
	return sql.OpenDB(readOnly{
		dsn: dsn(path, "ro", true),
		driver: &sqlite3.SQLiteDriver{ConnectHook: func(c *sqlite3.SQLiteConn) error {
			c.RegisterAuthorizer(func(action int, _, _, _ string) int {
				if action == sqlite3.SQLITE_ATTACH {
					return sqlite3.SQLITE_DENY
				}
				return sqlite3.SQLITE_OK
			})
			return nil
		}},
	})
}

// readOnly makes the connections of one read-only pool.
type readOnly struct {
	dsn    string
	driver *sqlite3.SQLiteDriver
}

func (r readOnly) Connect(context.Context) (driver.Conn, error) { return r.driver.Open(r.dsn) }
func (r readOnly) Driver() driver.Driver                        { return r.driver }

// firstStatement returns a text's first statement, up to its semicolon, and reports whether
// another one follows. The driver would run them all and answer with the last, even if that
// is a comment.
func firstStatement(query string) (statement string, more bool) {
	statement = query
	ended := false
	for at := 0; at < len(query); {
		n := 1
		switch rest := query[at:]; {
		case strings.HasPrefix(rest, "--"):
			n = endAfter(rest, 2, "\n")
		case strings.HasPrefix(rest, "/*"):
			n = endAfter(rest, 2, "*/")
		case strings.IndexByte(" \t\r\n\f;", rest[0]) >= 0:
			if rest[0] == ';' && !ended {
				statement, ended = query[:at], true
			}
		case ended:
			return statement, true
		case strings.IndexByte("'\"`", rest[0]) >= 0:
			n = endAfter(rest, 1, rest[:1]) // a doubled quote reads as two texts in a row
		case rest[0] == '[':
			n = endAfter(rest, 1, "]")
		}
		at += n
	}
	return statement, false
}

// firstWord returns the word with which a text's first statement begins, in capitals; "" if it begins with
// none.
func firstWord(query string) string {
	for query != "" {
		switch {
		case strings.HasPrefix(query, "--"):
			query = query[endAfter(query, 2, "\n"):]
		case strings.HasPrefix(query, "/*"):
			query = query[endAfter(query, 2, "*/"):]
		case strings.IndexByte(" \t\r\n\f;", query[0]) >= 0:
			query = query[1:]
		default:
			end := strings.IndexFunc(query, func(r rune) bool { return (r|0x20) < 'a' || (r|0x20) > 'z' })
			if end < 0 {
				end = len(query)
			}
			return strings.ToUpper(query[:end])
		}
	}
	return ""
}

// endAfter returns the index after the first end marker at or after an index; the length of
// the text if there is none.
func endAfter(text string, from int, end string) int {
	if i := strings.Index(text[from:], end); i >= 0 {
		return from + i + len(end)
	}
	return len(text)
}
