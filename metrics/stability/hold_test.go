package stability

import "testing"

// Answers of one step each: y opens, n closes, ? says nothing. The episode stands after the
// steps marked with 1.
func TestAnEpisodeClosesAfterItsCountOfQuietAnswersInARow(t *testing.T) {
	for _, c := range []struct {
		answers, stands string
	}{
		{"yn", "11"}, {"ynn", "111"}, {"ynnn", "1110"},
		{"ynnynn", "111111"},   // one yes restarts the count,
		{"ynnynnn", "1111110"}, // and the third no in a row ends it
		{"yn?n?n", "111110"},   // what says nothing neither counts nor breaks the count
		{"ynnnynn", "1110111"}, // the next episode counts from nothing
		{"ynnnynnn", "11101110"},
	} {
		h := &hold{open: 1, close: 3, rule: rule{window: 4}}
		stands := ""
		for step, answered := range c.answers {
			a := map[rune]answer{'y': yes, 'n': no, '?': unknown}[answered]
			h.observe(step, step, a, 0)
			if h.current != nil {
				stands += "1"
			} else {
				stands += "0"
			}
		}
		if stands != c.stands {
			t.Errorf("answers %s: stands %s, want %s", c.answers, stands, c.stands)
		}
	}
}
