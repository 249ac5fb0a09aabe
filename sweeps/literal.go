package sweeps

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// literal writes a configuration value as TOML does; "" stands for a value that
// is not set. Equal values have equal literals, so identities, differences and
// duplicates are decided by comparing literals.
func literal(v reflect.Value) string {
	if v.Kind() == reflect.Pointer {
		if v.IsNil() {
			return ""
		}
		return literal(v.Elem())
	}
	if v.Type() == reflect.TypeFor[Rescale]() {
		r := v.Interface().(Rescale)
		if r.Auto != "" {
			return quote(r.Auto)
		}
		return r.String()
	}
	switch v.Kind() {
	case reflect.String:
		return quote(v.String())
	case reflect.Bool:
		return strconv.FormatBool(v.Bool())
	case reflect.Int, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Float64:
		return floatLiteral(v.Float())
	case reflect.Slice:
		items := make([]string, v.Len())
		for i := range items {
			items[i] = literal(v.Index(i))
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	return fmt.Sprintf("<%s>", v.Type())
}

func floatLiteral(x float64) string {
	switch {
	case math.IsNaN(x):
		return "nan"
	case math.IsInf(x, 1):
		return "inf"
	case math.IsInf(x, -1):
		return "-inf"
	}
	text := strconv.FormatFloat(x, 'g', -1, 64)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return text
}

// quote writes a TOML basic string.
func quote(s string) string {
	if !strings.ContainsFunc(s, needsCare) { // nearly every name, thousands of times in a plan
		return `"` + s + `"`
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// needsCare reports whether quote does more with a character than copy it. Bytes that are no
// UTF-8 are such characters.
func needsCare(r rune) bool { return r < 0x20 || r > 0x7e || r == '"' || r == '\\' }

// shortText writes a decoded TOML value of any type for a message, cut if it is long.
func shortText(value any) string {
	text := ""
	switch v := value.(type) {
	case string:
		text = quote(v)
	case bool:
		text = strconv.FormatBool(v)
	case int64:
		text = strconv.FormatInt(v, 10)
	case float64:
		text = floatLiteral(v)
	case time.Time:
		text = v.Format(time.RFC3339)
	case []any:
		items := make([]string, 0, min(len(v), 9))
		for i, item := range v {
			if i == 8 {
				items = append(items, "…")
				break
			}
			if _, nested := item.([]any); nested {
				items = append(items, "[…]")
				continue
			}
			items = append(items, shortText(item))
		}
		text = "[" + strings.Join(items, ", ") + "]"
	default:
		return "{…}"
	}
	if runes := []rune(text); len(runes) > 120 {
		text = string(runes[:119]) + "…"
	}
	return text
}

// kindOf names a decoded TOML value's type as a person would.
func kindOf(value any) string {
	switch value.(type) {
	case string:
		return "a string"
	case bool:
		return "true or false"
	case int64:
		return "an integer"
	case float64:
		return "a number with a fraction"
	case time.Time:
		return "a date"
	case []any:
		return "an array"
	case []map[string]any:
		return "an array of tables"
	default:
		return "a table"
	}
}
