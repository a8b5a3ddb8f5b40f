package filter

import (
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"
)

// slowGlob is the rule as one would say it, on characters: exponential and obvious.
func slowGlob(tokens []token, text string) bool {
	if len(tokens) == 0 {
		return text == ""
	}
	if tokens[0].kind == anything {
		if slowGlob(tokens[1:], text) {
			return true
		}
		if text == "" {
			return false
		}
		_, size := firstChar(text)
		return slowGlob(tokens, text[size:])
	}
	if text == "" {
		return false
	}
	char, size := firstChar(text)
	return tokens[0].takes(char) && slowGlob(tokens[1:], text[size:])
}

// readTokens is what a text says, and its glob; nil if it is not wild.
func readTokens(t *testing.T, text string) ([]token, *glob) {
	t.Helper()
	v, err := readGlob(text)
	if err != nil {
		return nil, nil
	}
	g, _ := v.pattern.(*glob)
	var w globWriter
	for rest := v.spelling; rest != ""; { // the spelling is read as itself
		char, size := utf8.DecodeRuneInString(rest)
		switch char {
		case '*':
			w.add(token{kind: anything}, "*")
		case '?':
			w.add(token{kind: anyChar}, "?")
		case '[':
			c, length, err := readClass(rest)
			if err != nil {
				t.Fatal(err)
			}
			w.add(token{kind: inClass, class: c}, "")
			size = length
		default:
			w.add(token{char: char}, "")
		}
		rest = rest[size:]
	}
	return w.tokens, g
}

func TestGlobsAgreeWithTheirDefinition(t *testing.T) {
	rnd := rand.New(rand.NewPCG(9, 10))
	pick := func(most int, pieces ...string) string {
		var b strings.Builder
		for range rnd.IntN(most + 1) {
			b.WriteString(pieces[rnd.IntN(len(pieces))])
		}
		return b.String()
	}
	matched, tried := 0, 0
	for range 20_000 {
		tokens, g := readTokens(t, pick(8, "a", "b", "é", "*", "*", "?", "[ab]", "[^a]", "[^é]", "[a-é]"))
		if g == nil {
			continue
		}
		for range 10 {
			text := pick(9, "a", "a", "b", "é", "\xc3", "\xa9", "c")
			want := slowGlob(tokens, text)
			got, looked := g.match(text)
			if got != want || looked > len(text) {
				t.Fatalf("%+v, text %q: got %v after %d bytes, want %v", tokens, text, got, looked, want)
			}
			if tried++; got {
				matched++
			}
		}
	}
	if matched < tried/20 || matched > tried*19/20 {
		t.Fatalf("%d of %d texts matched: the test tries little", matched, tried)
	}
}

// Each of these made the time the product of both lengths.
func TestNoByteOfATextIsReadTwice(t *testing.T) {
	texts := []string{strings.Repeat("a", 255), strings.Repeat("ab", 127), strings.Repeat("a", 254) + "b", strings.Repeat("é", 127)}
	for _, pattern := range []string{
		"*" + strings.Repeat("a", 100) + "b", "*" + strings.Repeat("a", 100) + "*b", strings.Repeat("*a", 127), strings.Repeat("*a", 126) + "*b",
		"*" + strings.Repeat("?", 200) + "b", "*" + strings.Repeat("?", 100) + "b*c", "*" + strings.Repeat("[ab]", 60) + "c*", "*" + strings.Repeat("[^b]", 60) + "*c",
		"*" + strings.Repeat("?", 251) + "b*",
		strings.Repeat("*?", 100) + "*x", "*" + strings.Repeat("a", 70) + "[^a]" + strings.Repeat("a", 70) + "*",
	} {
		tokens, g := readTokens(t, pattern)
		for _, text := range texts {
			got, looked := g.match(text)
			if looked > len(text) {
				t.Errorf("%.20q..., text %.10q...: %d bytes were looked at, of %d", pattern, text, looked, len(text))
			}
			if strings.Count(pattern, "*") < 3 {
				if want := slowGlob(tokens, text); got != want {
					t.Errorf("%.20q..., text %.10q...: got %v, want %v", pattern, text, got, want)
				}
			}
		}
	}
}

// The positions of a segment are bits of 64-bit words.
func TestASegmentOfAnyLengthIsFound(t *testing.T) {
	for n := 1; n < 240; n++ {
		_, g := readTokens(t, "*[ab]"+strings.Repeat("a", n-1)+"*c")
		for length, want := range map[int]bool{n - 1: false, n: true, n + 1: true} {
			if got := g.Match("x" + strings.Repeat("a", length) + "xc"); got != want {
				t.Errorf("a segment of %d characters in a run of %d: %v", n, length, got)
			}
		}
	}
}

func TestTheBytesThatAreReadAreCounted(t *testing.T) {
	for _, test := range []struct {
		pattern, text string
		ok            bool
		looked        int
	}{
		{"ab*", "b", false, 1},
		{"ab*", "abxx", true, 2},
		{"a*b", "axc", false, 2},
		{"a*bc", "axxbc", true, 3},
		{"a*b*c", "axxc", false, 4},
		{"a*b*c", "axbyc", true, 4},
		{"[ab]x*", "ayy", false, 2},
		{"*x[ab]", "xyc", false, 1},
		{"*x[ab]", "xyb", false, 2},
		{"*é[ab]*", "xéaxx", true, 4},
	} {
		_, g := readTokens(t, test.pattern)
		if ok, looked := g.match(test.text); ok != test.ok || looked != test.looked {
			t.Errorf("%s, text %s: %v after %d bytes, want %v after %d", test.pattern, test.text, ok, looked, test.ok, test.looked)
		}
	}
}

// FuzzGlob compares arbitrary patterns and texts with the definition.
func FuzzGlob(f *testing.F) {
	for _, pattern := range []string{"*", "a*b", "*?[^x]*", "[a-é]?*", "*aab*", "??"} {
		f.Add(pattern, "aab\xffé")
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 40 || len(text) > 40 || strings.Count(pattern, "*") > 6 || !utf8.ValidString(pattern) {
			return
		}
		tokens, g := readTokens(t, pattern)
		if g == nil {
			return
		}
		if got, looked := g.match(text); got != slowGlob(tokens, text) || looked > len(text) {
			t.Fatalf("%q, text %q: got %v after %d bytes", pattern, text, got, looked)
		}
	})
}
