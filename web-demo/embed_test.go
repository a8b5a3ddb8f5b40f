package webdemo

import (
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// references finds the URLs that a page or a module loads.
var references = regexp.MustCompile(`(?:href="|src="|from ")([\w./-]+\.\w+)"`)

// embedded returns the paths of all embedded files.
func embedded(t *testing.T) (names []string) {
	t.Helper()
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// get returns the response to a request.
func get(url string) *httptest.ResponseRecorder { return getFrom(Handler(), url) }

func getFrom(handler http.Handler, url string) *httptest.ResponseRecorder {
	response := httptest.NewRecorder()
	handler.ServeHTTP(response, httptest.NewRequest(http.MethodGet, url, nil))
	return response
}

func TestThePageLoadsEveryEmbeddedFileUnderAnyPath(t *testing.T) {
	for _, prefix := range []string{"", "/observatory/clu"} {
		handler := http.StripPrefix(prefix, Handler())
		loaded := []string{"page/index.html"}
		for urls, i := []string{prefix + "/"}, 0; i < len(urls); i++ {
			response := getFrom(handler, urls[i])
			if response.Code != http.StatusOK {
				t.Fatalf("%s is answered with %d", urls[i], response.Code)
			}
			for _, match := range references.FindAllSubmatch(response.Body.Bytes(), -1) {
				url := path.Join(path.Dir(urls[i]), string(match[1]))
				if !slices.Contains(urls, url) {
					urls = append(urls, url)
					loaded = append(loaded, strings.TrimPrefix(url, prefix+"/"))
				}
			}
		}
		slices.Sort(loaded)
		if all := embedded(t); !slices.Equal(all, loaded) {
			t.Errorf("embedded %q, but the page under %q loads %q", all, prefix, loaded)
		}
	}
}

func TestNothingIsLoadedFromElsewhere(t *testing.T) {
	elsewhere := regexp.MustCompile(`(?:href|src)="(?:https?:|//|/)|from "(?:https?:|/)|@import|\burl\(["'h/]|innerHTML|insertAdjacentHTML|\beval\(`)
	for _, name := range embedded(t) {
		content, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if found := elsewhere.Find(content); found != nil {
			t.Errorf("%s has %q: the page works offline, under any path, and never parses data as markup", name, found)
		}
	}
}

func TestOtherPagesMayImportTheModules(t *testing.T) {
	for _, url := range []string{"/clu.js", "/client/clu.js", "/clu-json.js"} {
		response := get(url)
		for name, want := range map[string]string{
			"Content-Type":                "text/javascript; charset=utf-8",
			"Access-Control-Allow-Origin": "*",
			"Cache-Control":               "no-cache",
			"Content-Security-Policy":     "frame-ancestors 'none'",
			"X-Content-Type-Options":      "nosniff",
			"Referrer-Policy":             "no-referrer",
		} {
			if got := response.Header().Get(name); got != want {
				t.Errorf("%s of %s is %q, want %q", name, url, got, want)
			}
		}
	}
}

// Pages elsewhere import clu.js, and may import its modules, from where they were before they had a folder.
func TestEarlierAddressesOfTheModulesStillWork(t *testing.T) {
	earlier := map[string]string{"/clu.js": "clu", "/clu-record.js": "received"}
	for _, name := range []string{"batch", "catchup", "clock", "command", "filter", "gaps", "inflight", "json", "link", "reply", "session", "subscription", "url"} {
		earlier["/clu-"+name+".js"] = name
	}
	for url, name := range earlier {
		response := get(url)
		if want := "export * from \"./client/" + name + ".js\";\n"; response.Code != http.StatusOK || response.Body.String() != want {
			t.Errorf("%s is answered with %d %q, want %q", url, response.Code, response.Body, want)
		}
		if code := get("/client/" + name + ".js").Code; code != http.StatusOK {
			t.Errorf("%s.js, to which it leads, is answered with %d", name, code)
		}
	}
}

func TestWhatIsNotEmbeddedIsNotFound(t *testing.T) {
	for _, url := range []string{"/page/", "/client/", "/clu-nothing.js", "/clu-../page/app.js", "/client/tests/link.test.js", "/client/package.json", "/embed.go"} {
		if code := get(url).Code; code != http.StatusNotFound {
			t.Errorf("%s is answered with %d", url, code)
		}
	}
}
