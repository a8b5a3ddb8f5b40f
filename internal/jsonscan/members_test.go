package jsonscan

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"
	"unicode/utf8"
)

// typicalBody is a mount's status: about 400 bytes, five keywords.
const typicalBody = `{"ra": 187.70593076, "dec": 12.39112331, "status": {"tracking": true, "slewing": false, "axes": [` +
	`{"name": "ra", "position": 187.7059, "torque": 0.12}, {"name": "dec", "position": 12.3911, "torque": -0.07}], ` +
	`"mode": "sidereal"}, "text": "The mount follows the star HD 108085, \"gamma\"", "limits": [-90.0, 90.0, "none"]}`

func TestAScanFindsTheTopLevelKeys(t *testing.T) {
	for body, want := range map[string][]string{
		`{}`:                          nil,
		` { } `:                       nil,
		`[{"a":1}]`:                   nil,
		`"{\"a\": 1}"`:                nil,
		`null`:                        nil,
		``:                            nil,
		`{"a": 1}`:                    {"a"},
		"\n{\t\"a\" :\r\n1 ,\"b\":2}": {"a", "b"},
		`{"a": {"b": {"c": "}"}}, "d": [[{"e": "]"}], 1]}`: {"a", "d"},
		`{"a": "\"", "b": "\\", "c": "\\\"", "d": ""}`:     {"a", "b", "c", "d"},
		`{"a": ",\"x\":", "b": "{", "c": "["}`:             {"a", "b", "c"},
		`{"a\"b": 1, "\\": 2, "\u00e9": 3, "é": 4}`:        {`a"b`, `\`, "é", "é"},
		`{"\ud83d\ude00": true, "\ud800": false}`:          {"😀", "\ufffd"},
		`{"": -1.5e+10, ":": null, "a": 1, "a": 2}`:        {"", ":", "a", "a"},
	} {
		if got := Keys(nil, []byte(body)); !slices.Equal(got, want) {
			t.Errorf("%s has the keys %q, want %q", body, got, want)
		}
	}
}

func TestAScanAppends(t *testing.T) {
	if got := Keys([]string{"x"}, []byte(`{"a": 1}`)); !slices.Equal(got, []string{"x", "a"}) {
		t.Errorf("got %q", got)
	}
}

func TestAScanOfKeysWithoutEscapesAllocatesNothing(t *testing.T) {
	body := []byte(typicalBody)
	keys := make([]string, 0, 16)
	if n := testing.AllocsPerRun(100, func() { keys = Keys(keys[:0], body) }); n != 0 {
		t.Errorf("a scan allocates %v times", n)
	}
	if len(keys) != 5 {
		t.Errorf("the scan found %q", keys)
	}
}

// FuzzScan compares the scan of valid JSON with encoding/json's, and expects of
// any other text only that the scan ends.
func FuzzScan(f *testing.F) {
	for _, body := range []string{
		`{}`, typicalBody, `[1, {"a": 2}]`, `{"a": {"b": ["}", "\\\""]}, "c" : -1e5 , "c":null}`, `{"\u00e9\"": "\\", "": [[]]}`,
		`{"a": "\ud800", "\ud800\udc00": true}`, "{\"a\xff\": 1}", `{"a`, `{"a"`, `{"a":`, `{"a":[{"`, `{"a":"\"`, "", " ", "{", `{"a":}`,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		before := bytes.Clone(body)
		var keys []string
		var found []string
		for m := MembersOf(body); ; {
			key, value, ok := m.Next()
			if !ok {
				break
			}
			keys = append(keys, string(key))
			found = append(found, string(value))
		}
		if got := Keys(nil, body); !slices.Equal(got, keys) {
			t.Fatalf("the keys are %q, the members' %q", got, keys)
		}
		if !bytes.Equal(body, before) {
			t.Fatalf("the body %q became %q", before, body)
		}
		if !json.Valid(body) || !utf8.Valid(body) {
			return
		}
		wantKeys, wantFound := decodeMembers(t, body)
		if !slices.Equal(keys, wantKeys) || !slices.Equal(found, wantFound) {
			t.Fatalf("%q has %q: %q, want %q: %q", body, keys, found, wantKeys, wantFound)
		}
	})
}

// decodeMembers are the members of a body as encoding/json reads them.
func decodeMembers(t *testing.T, body []byte) (keys, values []string) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(body))
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return nil, nil
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key.(string))
		values = append(values, string(value))
	}
	return keys, values
}

// Text that is not JSON has undefined members, but ends.
func TestAScanOfTextThatIsCutOffEnds(t *testing.T) {
	for _, whole := range []string{typicalBody, `[1, "a\"", {"b": [2]}, null ]`, ` { "a" : "\\" , "\u0061" : 1 } `, `[[1], [2] , 3]`} {
		for end := range len(whole) + 1 {
			cut := []byte(whole[:end])
			Keys(nil, cut)
			n := 0
			for range Elements(cut) {
				n++
			}
			if n > 5 {
				t.Errorf("%q has %d elements", cut, n)
			}
		}
	}
}

func BenchmarkKeys(b *testing.B) {
	body := []byte(typicalBody)
	var keys []string
	b.ReportAllocs()
	for b.Loop() {
		keys = Keys(keys[:0], body)
	}
}

func TestElementsAreThoseOfTheList(t *testing.T) {
	for text, want := range map[string][]string{
		`[]`: nil, ` [ ] `: nil, `{"a": [1]}`: nil, `5`: nil, ``: nil,
		`[1]`: {"1"}, ` [ "a,]" , [1, 2] ,{"b": 3}, null ] `: {`"a,]"`, `[1, 2]`, `{"b": 3}`, `null`},
	} {
		var got []string
		for element := range Elements([]byte(text)) {
			got = append(got, string(element))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

func FuzzElements(f *testing.F) {
	f.Add([]byte(`[1, "a", {}]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var want []json.RawMessage
		err := json.Unmarshal(text, &want)
		n := 0
		for element := range Elements(text) {
			if err == nil && !bytes.Equal(element, want[n]) {
				t.Fatalf("%q: element %d is %q, want %q", text, n, element, want[n])
			}
			n++
		}
		if err == nil && n != len(want) {
			t.Fatalf("%q has %d elements, want %d", text, n, len(want))
		}
	})
}
