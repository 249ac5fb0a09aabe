package sweeps

import "testing"

func TestQuote(t *testing.T) {
	for text, want := range map[string]string{
		"": `""`, "bert-base": `"bert-base"`, `a"b\c`: `"a\"b\\c"`, "a\tb\x7f": `"a\u0009b\u007F"`, "λ 1": `"λ 1"`, "a\xffb": "\"a\ufffdb\"",
	} {
		if got := quote(text); got != want {
			t.Errorf("%q is quoted as %s, want %s", text, got, want)
		}
	}
}
