package webdemo

import (
	"embed"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"
)

//go:embed page client/*.js
var files embed.FS

// Handler serves the console and the client's modules. Every origin may import the modules, and browsers revalidate
// their copies, so that no browser keeps running the page of an earlier version.
//
// The modules are joined when the first request comes, which takes a tenth of a second; a bridge whose page nobody opens
// spends nothing on it.
func Handler() http.Handler { return handlerOf(allAssets) }

// handlerOf serves some assets.
func handlerOf(made func() (map[string]*asset, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setHeaders(w.Header())
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "only GET and HEAD are allowed here", http.StatusMethodNotAllowed)
			return
		}
		assets, err := made()
		if err != nil { // a fault of the embedded modules, which a test finds
			http.Error(w, "the page cannot be put together: "+err.Error(), http.StatusInternalServerError)
			return
		}
		name := strings.TrimPrefix(r.URL.Path, "/")
		if name == "" || name == indexName {
			name = indexName
			if r.URL.Query().Has("sources") {
				name = sourcesName
			}
			w.Header().Set("Content-Security-Policy", pagePolicy)
		}
		if a := assets[name]; a != nil {
			a.ServeHTTP(w, r)
			return
		}
		http.NotFound(w, r)
	})
}

// allAssets returns the assets by their paths. They are made once, for all handlers.
var allAssets = sync.OnceValues(func() (map[string]*asset, error) { return makeAssets(files) })

// makeAssets makes the assets: the joined ones, and each source at its own address.
func makeAssets(from fs.FS) (map[string]*asset, error) {
	assets := map[string]*asset{}
	if err := addSources(assets, from); err != nil {
		return nil, err
	}
	if err := addEarlier(assets, from); err != nil {
		return nil, err
	}
	return assets, addBundles(assets, from)
}

// addSources adds the files as they are.
func addSources(assets map[string]*asset, from fs.FS) error {
	return fs.WalkDir(from, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		if !isServed(name) || name == "page/index.html" {
			return nil
		}
		content, err := fs.ReadFile(from, name)
		if err != nil {
			return err
		}
		assets[name] = newAsset(contentTypes[path.Ext(name)], content)
		return nil
	})
}

// isServed reports whether an embedded file is for browsers: tests and notes, which the patterns of embed cannot leave
// out, are not.
func isServed(name string) bool {
	return path.Base(path.Dir(name)) != "tests" && contentTypes[path.Ext(name)] != ""
}

// contentTypes are the content types of the files that are served, by extension. They are not left to the tables of the
// system, which may have others.
var contentTypes = map[string]string{
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
	"":      "text/plain; charset=utf-8", // LICENSE
}

// addBundles adds the joined files, and the page that loads them.
func addBundles(assets map[string]*asset, from fs.FS) error {
	scripts, err := bundleScripts(from, "page/app.js", bundleFolder)
	if err != nil {
		return err
	}
	var preload []string
	for _, s := range scripts {
		assets[s.path] = newAsset(contentTypes[".js"], s.content)
		if s.path == bundleApp {
			preload = s.imports
		}
	}
	client, err := bundleScripts(from, "client/index.js", ".")
	if err != nil {
		return err
	}
	if len(client) != 1 {
		return fmt.Errorf("client/index.js becomes %d files, and pages import it as one", len(client))
	}
	assets[bundleClient] = newAsset(contentTypes[".js"], client[0].content)
	index, err := fs.ReadFile(from, "page/index.html")
	if err != nil {
		return err
	}
	assets[sourcesName] = newAsset(contentTypes[".html"], index)
	page, sheets, later := joinIndex(string(index), preload)
	for name, list := range map[string][]string{bundleStyle: sheets, bundleLater: later} {
		style, err := joinStyles(from, list)
		if err != nil {
			return err
		}
		made := newAsset(contentTypes[".css"], style)
		if name == bundleLater {
			// As with the scripts: a page of an earlier version must not mix it with its own.
			name = strings.TrimSuffix(name, ".css") + "-" + made.hash + ".css"
			page = strings.Replace(page, bundleLater, name, 1)
		}
		assets[name] = made
	}
	version := versionOf(assets, page)
	assets[bundleVersion] = newAsset(contentTypes[""], []byte(version))
	assets[indexName] = newAsset(contentTypes[".html"], []byte(strings.Replace(page, versionTag, versionTag+version, 1)))
	return nil
}

// versionTag is where the page has its version.
const versionTag = `<meta name="page-version" content="`

// versionOf returns what identifies the page with all that it may load. A page that is open compares its own with that
// of the bridge that it is connected to (page/shell/renewal.js).
func versionOf(assets map[string]*asset, page string) string {
	var all strings.Builder
	for _, name := range slices.Sorted(maps.Keys(assets)) {
		all.WriteString(name + " " + assets[name].hash + "\n")
	}
	return contentHash([]byte(all.String() + page))
}

func setHeaders(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	// frame-ancestors must be a header (CSP 3, 6.4.2). Without it a page could embed this one for clickjacking.
	h.Set("Content-Security-Policy", framePolicy)
}
