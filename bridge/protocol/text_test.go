package protocol

import "testing"

func TestHalfOfASurrogatePairIsFoundWhereverItStands(t *testing.T) {
	for text, want := range map[string]bool{
		`"a"`: false, `"\n\\\/\""`: false, `"\u00e9"`: false, `""`: false,
		`"\ud800\udc00"`: false, `"\udbff\udfff"`: false, `"x\uD83D\uDE00y"`: false, `"\ud800\udc00\ud800\udc00"`: false,
		`"\ud7ff"`: false, `"\ue000"`: false, // the neighbours of the surrogates
		`"\\ud800"`: false, // an escaped backslash, and the text ud800
		`"\ud800"`:  true, `"\udbff"`: true, `"\udc00"`: true, `"\udfff"`: true,
		`"\ud800x"`: true, `"\ud800\n"`: true, `"\ud800\u0061"`: true, `"x\uDBFFy"`: true, `"\ud800\\udc00"`: true,
		`"\ud800\ud800\udc00"`: true, `"\udc00\ud800"`: true, `"\ud800\udc00\udc00"`: true,
		`\ud800`: true, // at the end of the text
	} {
		if got := halfSurrogate([]byte(text)); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
}

func TestAnErrorNamesTheKindOfAValue(t *testing.T) {
	for text, want := range map[string]string{
		`{}`: "an object", `[]`: "a list", `"{"`: "a string", `true`: "a boolean", `false`: "a boolean", `null`: "null",
		`-1`: "a number", `0`: "a number", " \t\r\n{}": "an object", " 1 {": "a number", ``: "a number",
	} {
		if got := Kind([]byte(text)); got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
}
