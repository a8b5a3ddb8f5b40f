package webdemo

import (
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// embedded returns the paths of all embedded files that are served.
func embedded(t *testing.T) (names []string) {
	t.Helper()
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && isServed(name) {
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

// references finds the URLs that a page or a module loads.
var references = regexp.MustCompile(`(?:href="|src="|from ?"|import\("|import ?")([\w./-]+\.\w+)"`)

// comments matches those of modules, which name modules, too.
var comments = regexp.MustCompile(`(?s)/\*\*.*?\*/`)

// loadedBy returns the paths that a page loads, itself and through others, with their responses.
func loadedBy(t *testing.T, prefix, index string) map[string]*httptest.ResponseRecorder {
	t.Helper()
	handler := http.StripPrefix(prefix, Handler())
	loaded := map[string]*httptest.ResponseRecorder{}
	for urls := []string{prefix + "/" + index}; len(urls) > 0; urls = urls[1:] {
		url, _, _ := strings.Cut(urls[0], "?")
		name := strings.TrimPrefix(url, prefix+"/")
		if loaded[name] != nil {
			continue
		}
		response := getFrom(handler, urls[0])
		if response.Code != http.StatusOK {
			t.Fatalf("%s is answered with %d", urls[0], response.Code)
		}
		loaded[name] = response
		for _, match := range references.FindAllSubmatch(comments.ReplaceAll(response.Body.Bytes(), nil), -1) {
			urls = append(urls, path.Join(path.Dir(url), string(match[1])))
		}
	}
	return loaded
}

func TestThePageAndThePackageLoadEveryEmbeddedFileUnderAnyPath(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"", "/observatory/clu"} {
		all := loadedBy(t, prefix, "?sources")
		maps.Copy(all, loadedBy(t, prefix, "client/index.js"))
		loaded := slices.Sorted(maps.Keys(all))
		want := []string{""}
		for _, name := range embedded(t) {
			if name != "page/index.html" && path.Ext(name) != "" { // LICENSE is for readers
				want = append(want, name)
			}
		}
		if !slices.Equal(loaded, want) {
			missing := slices.DeleteFunc(want, func(name string) bool { return slices.Contains(loaded, name) })
			t.Errorf("under %q the page does not load %q, which are embedded", prefix, missing)
		}
	}
}

func TestTheJoinedPageLoadsJoinedFilesUnderAnyPath(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"", "/observatory/clu"} {
		loaded := loadedBy(t, prefix, "")
		for name := range loaded {
			if name != "" && !strings.HasPrefix(name, "bundle/") && name != "page/shell/early.js" {
				t.Errorf("under %q the page also loads %s", prefix, name)
			}
		}
	}
}

func TestNothingIsLoadedFromElsewhere(t *testing.T) {
	t.Parallel()
	elsewhere := regexp.MustCompile(`(?:href|src)="(?:https?:|//|/)|from "(?:https?:|/)|@import|\burl\(["'h/]|innerHTML|insertAdjacentHTML|\beval\(`)
	for _, name := range embedded(t) {
		if strings.HasPrefix(name, "page/libraries/") { // the policy keeps these from it
			continue
		}
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
	t.Parallel()
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

// Pages elsewhere may import the modules from where they were before they had a folder.
func TestEarlierAddressesOfTheModulesStillWork(t *testing.T) {
	t.Parallel()
	earlier := map[string]string{"/clu-record.js": "received"}
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

func TestOtherPagesImportTheClientWithOneRequest(t *testing.T) {
	t.Parallel()
	response := get("/clu.js")
	if found := references.Find(response.Body.Bytes()); found != nil {
		t.Errorf("clu.js also loads %s", found)
	}
	for _, name := range []string{"Clu", "CommandError", "parseReply", "websocketURL"} {
		if !regexp.MustCompile(`export\{[^}]*\b` + name + `\b`).Match(response.Body.Bytes()) {
			t.Errorf("clu.js does not export %s", name)
		}
	}
}

func TestWhatIsNotEmbeddedIsNotFound(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"/page/", "/client/", "/clu-nothing.js", "/clu-../page/app.js", "/client/tests/link.test.js", "/page/tests/format.test.js", "/bundle/", "/bundle/nothing.js", "/client/package.json", "/embed.go"} {
		if code := get(url).Code; code != http.StatusNotFound {
			t.Errorf("%s is answered with %d", url, code)
		}
	}
}
