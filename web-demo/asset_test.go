package webdemo

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// ask returns the response to a request with header fields: "Name: value".
func ask(method, url string, fields ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, url, nil)
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ": ")
		r.Header.Add(name, value)
	}
	response := httptest.NewRecorder()
	Handler().ServeHTTP(response, r)
	return response
}

func TestAFileThatTheBrowserHasIsNotSentAgain(t *testing.T) {
	t.Parallel()
	for _, encoding := range []string{"gzip, deflate, br", "identity"} {
		for _, url := range []string{"/", "/bundle/app.js", "/bundle/style.css", "/clu.js", "/page/app.js"} {
			first := ask(http.MethodGet, url, "Accept-Encoding: "+encoding)
			tag := first.Header().Get("ETag")
			if first.Code != http.StatusOK || tag == "" {
				t.Fatalf("%s is answered with %d, tag %q", url, first.Code, tag)
			}
			for _, have := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
				again := ask(http.MethodGet, url, "Accept-Encoding: "+encoding, "If-None-Match: "+have)
				if again.Code != http.StatusNotModified || again.Body.Len() != 0 || again.Header().Get("ETag") != tag {
					t.Errorf("%s with If-None-Match %s is answered with %d, %d bytes", url, have, again.Code, again.Body.Len())
				}
			}
			if changed := ask(http.MethodGet, url, `If-None-Match: "of another version"`); changed.Code != http.StatusOK || changed.Body.Len() == 0 {
				t.Errorf("%s with another tag is answered with %d", url, changed.Code)
			}
		}
	}
}

func TestAFileIsCompressedForThoseWhoAcceptIt(t *testing.T) {
	t.Parallel()
	whole := ask(http.MethodGet, "/client/clu.js").Body.String()
	for accept, want := range map[string]string{
		"gzip": "gzip", "br, GZIP;q=0.5": "gzip", "*": "gzip", "x-gzip": "gzip",
		"": "", "br": "", "gzip;q=0": "", "gzip; q=0.000, *": "", "identity, *;q=0": "", "gzip;q=x": "",
	} {
		response := ask(http.MethodGet, "/client/clu.js", "Accept-Encoding: "+accept)
		if got := response.Header().Get("Content-Encoding"); got != want {
			t.Errorf("Accept-Encoding %q: Content-Encoding %q, want %q", accept, got, want)
			continue
		}
		if got := response.Header().Get("Vary"); got != "Accept-Encoding" {
			t.Errorf("Accept-Encoding %q: Vary is %q", accept, got)
		}
		var body io.Reader = response.Body
		if want == "gzip" {
			zip, err := gzip.NewReader(body)
			if err != nil {
				t.Fatal(err)
			}
			body = zip
		}
		if text, err := io.ReadAll(body); err != nil || string(text) != whole {
			t.Errorf("Accept-Encoding %q: the body is not the file (%v)", accept, err)
		}
	}
}

func TestHEADHasTheHeadersOfGET(t *testing.T) {
	t.Parallel()
	head, get := ask(http.MethodHead, "/clu.js"), ask(http.MethodGet, "/clu.js")
	if head.Body.Len() != 0 || head.Code != http.StatusOK {
		t.Errorf("answered with %d, %d bytes", head.Code, head.Body.Len())
	}
	for _, name := range []string{"Content-Length", "Content-Type", "ETag"} {
		if head.Header().Get(name) != get.Header().Get(name) {
			t.Errorf("%s is %q, and %q for GET", name, head.Header().Get(name), get.Header().Get(name))
		}
	}
	if code := ask(http.MethodPost, "/").Code; code != http.StatusMethodNotAllowed {
		t.Errorf("POST is answered with %d", code)
	}
}

func TestTheFirstLoadIsSmall(t *testing.T) {
	t.Parallel()
	const mostBytes, mostFiles, headers = 60_000, 9, 400
	index := ask(http.MethodGet, "/")
	names := []string{""}
	first := regexp.MustCompile(`<link rel="later"[^>]*>`).ReplaceAll(index.Body.Bytes(), nil)
	for _, match := range references.FindAllSubmatch(first, -1) {
		names = append(names, string(match[1]))
	}
	total := 0
	for _, name := range names {
		response := ask(http.MethodGet, "/"+name, "Accept-Encoding: gzip")
		if response.Code != http.StatusOK {
			t.Errorf("/%s is answered with %d: %s", name, response.Code, response.Body)
		}
		size := response.Body.Len()
		t.Logf("%6d bytes %s", size, name)
		total += size + headers
	}
	if total > mostBytes || len(names) > mostFiles {
		t.Errorf("%d files of %d bytes", len(names), total)
	}
}
