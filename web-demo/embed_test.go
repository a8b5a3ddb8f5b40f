package webdemo

import (
	"io/fs"
	"net/http/httptest"
	"regexp"
	"slices"
	"testing"
)

// references finds what a page, a style sheet or a module asks the server for.
var references = regexp.MustCompile(`(?:href="|src="|from "\./)([\w.-]+\.\w+)"`)

func TestEveryEmbeddedFileIsReachedFromThePageAndNothingIsMissing(t *testing.T) {
	reached := []string{"index.html"}
	for i := 0; i < len(reached); i++ {
		content, err := FS.ReadFile(reached[i])
		if err != nil {
			t.Fatalf("the page needs %s: %v", reached[i], err)
		}
		for _, match := range references.FindAllSubmatch(content, -1) {
			if name := string(match[1]); !slices.Contains(reached, name) {
				reached = append(reached, name)
			}
		}
	}

	embedded, err := fs.Glob(FS, "*")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(reached)
	if !slices.Equal(embedded, reached) {
		t.Errorf("embedded %q, but the page reaches %q", embedded, reached)
	}
}

func TestNothingIsLoadedFromElsewhere(t *testing.T) {
	elsewhere := regexp.MustCompile(`(?:href|src)="(?:https?:|//|/)|from "(?:https?:|/)|@import|\burl\(["'h/]|innerHTML|insertAdjacentHTML|\beval\(`)
	files, err := fs.Glob(FS, "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		content, err := FS.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if found := elsewhere.Find(content); found != nil {
			t.Errorf("%s has %q: the page works offline, under any path, and never reads data as markup", name, found)
		}
	}
}

func TestOtherPagesMayImportTheModules(t *testing.T) {
	answer := httptest.NewRecorder()
	Handler().ServeHTTP(answer, httptest.NewRequest("GET", "/clu.js", nil))
	for name, want := range map[string]string{
		"Content-Type":                "text/javascript; charset=utf-8",
		"Access-Control-Allow-Origin": "*",
		"Cache-Control":               "no-cache",
		"Content-Security-Policy":     "frame-ancestors 'none'",
		"X-Content-Type-Options":      "nosniff",
		"Referrer-Policy":             "no-referrer",
	} {
		if got := answer.Header().Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}
