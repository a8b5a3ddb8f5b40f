package bridge

import "testing"

func TestTheAnswersAboutSeveralRoomsAreNamedByThem(t *testing.T) {
	for _, c := range []struct {
		rooms []string
		data  []string
		want  string
	}{
		{[]string{"/a"}, []string{`1`}, `1`}, {[]string{"/a"}, []string{""}, ``}, {nil, []string{`{"a": 1}`}, `{"a": 1}`},
		{[]string{"/a", "/b"}, []string{`1`, ``}, `{"/a":1}`}, {[]string{"/a", "/b"}, []string{``, ``}, ``},
	} {
		var data [][]byte
		for _, text := range c.data {
			if text == "" {
				data = append(data, nil)
			} else {
				data = append(data, []byte(text))
			}
		}
		if got := string(joinData(c.rooms, data)); got != c.want {
			t.Errorf("%v %q: %s, want %s", c.rooms, c.data, got, c.want)
		}
	}
}
