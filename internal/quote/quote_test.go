package quote_test

import (
	"strings"
	"testing"

	"github.com/clu-ws/clu-ws/internal/quote"
)

func TestOnlyTheBeginningOfALongTextIsShown(t *testing.T) {
	for text, want := range map[string]string{
		"":                             `""`,
		"dome":                         `"dome"`,
		"a\"b\x00":                     `"a\"b\x00"`,
		strings.Repeat("x", 60):        `"` + strings.Repeat("x", 60) + `"`,
		strings.Repeat("x", 61):        `"` + strings.Repeat("x", 60) + `..."`,
		strings.Repeat("é", 60):        `"` + strings.Repeat("é", 60) + `"`,
		strings.Repeat("é", 61):        `"` + strings.Repeat("é", 60) + `..."`,
		strings.Repeat("\xff", 61):     `"` + strings.Repeat(`\xff`, 60) + `..."`,
		strings.Repeat("x", 59) + "é":  `"` + strings.Repeat("x", 59) + `é"`,
		strings.Repeat("\x01", 250000): `"` + strings.Repeat(`\x01`, 60) + `..."`,
	} {
		if got := quote.Text(text); got != want {
			t.Errorf("%.80q:\n got %s\nwant %s", text, got, want)
		}
	}
}

func TestAShortTextIsNeitherQuotedNorEscaped(t *testing.T) {
	if got := quote.Short(`a"b`); got != `a"b` {
		t.Errorf("got %s", got)
	}
}
