package rooms

import (
	"slices"
	"strings"
	"testing"
)

func TestAPathIsCleanedOrExplained(t *testing.T) {
	longest := "/" + strings.Repeat("x", maxRoomPath-1)
	deepest := strings.Repeat("/x", maxRoomParts)
	for path, want := range map[string]string{
		"/": "/", "/live": "/live", "/live/": "/live", "/live/x/": "/live/x", "/live/...": "/live/...", "/a b/é": "/a b/é",
		longest: longest, deepest: deepest, deepest + "/": deepest,
	} {
		if got, err := CleanPath(path); err != nil || got != want {
			t.Errorf("%.40q became %.40q, %v", path, got, err)
		}
	}
	for path, want := range map[string]string{
		"":             `"" is not the path of a room; begin it with /, as in /live/x`,
		"live":         `"live" is not the path of a room`,
		longest + "x":  `is 256 bytes long; a room's may have 255`,
		"/\xff":        `the path "/\xff" is not UTF-8`,
		"//":           `the path "/" has an empty part; write one slash between its parts`,
		"/live//x":     `has an empty part`,
		"/live//":      `has an empty part`,
		"/live/./x":    `a part of the path is . or ..; write the path of the room in full`,
		"/live/..":     `a part of the path is . or ..`,
		deepest + "/x": `has 17 parts; a room's may have 16`,
	} {
		if got, err := CleanPath(path); err == nil || got != "" || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q became %.40q, %v, want %s", path, got, err, want)
		}
	}
}

func TestAPathInAURLIsDecodedOnceOrExplained(t *testing.T) {
	for raw, want := range map[string]string{
		"/live/x": "/live/x", "/live/a%20b": "/live/a b", "/live/%2541": "/live/%41", "/live/%C3%A9": "/live/é", "/a+b": "/a+b", "/~": "/~",
	} {
		if got, err := DecodePath(raw); err != nil || got != want {
			t.Errorf("%s became %q, %v", raw, got, err)
		}
	}
	for raw, want := range map[string]string{
		"/live%2Fx":   `the path "/live%2Fx" has an encoded slash or a backslash`,
		"/live%2fx":   `an encoded slash`,
		"/live%5Cx":   `a backslash`,
		`/live\x`:     `a backslash`,
		"/live/%zz":   `has a percent sign that is not an escape; write %25 for it`,
		"/live/%00":   `has a control character; leave it out`,
		"/live/%1F":   `has a control character`,
		"/live/%7f":   `has a control character`,
		"/live/%2E":   `a part of the path is . or ..`,
		"/live/../x":  `a part of the path is . or ..`,
		"/%2e%2e/etc": `a part of the path is . or ..`,
	} {
		if _, err := DecodePath(raw); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", raw, err, want)
		}
	}
}

func TestThePathsAboveAPathEndAtTheRoot(t *testing.T) {
	for path, want := range map[string][]string{"/": {"/"}, "/live": {"/live", "/"}, "/live/x/y": {"/live/x/y", "/live/x", "/live", "/"}} {
		if got := slices.Collect(Upwards(path)); !slices.Equal(got, want) {
			t.Errorf("above %s are %q", path, got)
		}
	}
	for path := range Upwards("/live/x") {
		if path != "/live/x" {
			t.Errorf("%s comes after the end", path)
		}
		break
	}
}
