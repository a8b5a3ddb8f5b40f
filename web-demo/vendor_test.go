package webdemo

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

// vendored are the files that others wrote, with their SHA-256: those of the folder dist, and the licence, of the npm
// package uplot@1.6.32.
var vendored = map[string]string{
	"page/libraries/uplot/uPlot.esm.js":  "5dd9b3281aa64b461b42d9945f6adb2649d346502b12281a9ae0d46599a80eba",
	"page/libraries/uplot/uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
	"page/libraries/uplot/LICENSE":       "8f989229699b4fe2f1a0432d0e9edc338a8a911e250e2d1b01ecd770a5f5b1bd",
}

func TestWhatOthersWroteIsUnchangedAndServedWithItsLicence(t *testing.T) {
	t.Parallel()
	for name, want := range vendored {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(content)
		if got := hex.EncodeToString(sum[:]); got != want {
			t.Errorf("%s has the sum %s, want %s", name, got, want)
		}
		if response := get("/" + name); response.Body.String() != string(content) {
			t.Errorf("/%s is answered with %d and another content", name, response.Code)
		}
	}
	notes, err := os.ReadFile("page/libraries/uplot/README.md")
	if err != nil {
		t.Fatal(err)
	}
	if module := get("/page/libraries/uplot/uPlot.esm.js").Body.String(); !strings.Contains(module, "(v1.6.32)") || !strings.Contains(string(notes), "uPlot 1.6.32") {
		t.Error("the notes name another version than the module")
	}
}

// The licence asks for its notice in all copies.
func TestTheJoinedScriptKeepsTheNoticeOfUPlot(t *testing.T) {
	t.Parallel()
	for name, response := range loadedBy(t, "", "") {
		if strings.Contains(response.Body.String(), "uplot") && strings.HasPrefix(name, "bundle/plot") {
			if !strings.Contains(response.Body.String(), "Leon Sorokin") {
				t.Errorf("%s has no notice", name)
			}
			return
		}
	}
	t.Error("no script has uPlot")
}
