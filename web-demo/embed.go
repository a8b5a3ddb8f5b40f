// Package webdemo holds the console, a page that the bridge serves on its own port, and clu.js, the browser client that
// the console and other pages import.
//
// Both are plain ES modules and CSS without a build step: browsers get the files of these folders as they are.
//
//	client/   clu.js and its modules, also an npm package
//	page/     the console: index.html, style.css and a module for each view
//
//	GET /                     page/index.html, which loads
//	GET /page/app.js ...      the console's modules, which import
//	GET /client/clu.js ...    the client's modules
//	GET /clu.js               the address at which other pages import the client (addresses.go)
//
// page/index.html states what tests and scripts may rely on, client/README.md how to use the client, and
// client/clu.d.ts its whole interface.
package webdemo

import (
	"embed"
	"net/http"
	"strings"
)

//go:embed page/index.html page/style.css page/*.js client/*.js
var files embed.FS

// Handler serves the console and the client's modules. Every origin may import the modules, and browsers revalidate
// their copies, so that nobody keeps running the page of a bridge that was upgraded.
func Handler() http.Handler {
	static := http.FileServerFS(files)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setHeaders(w.Header())
		path := r.URL.Path
		target, forwarded := clientModule(path)
		switch {
		case forwarded:
			w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
			_, _ = w.Write([]byte("export * from \"" + target + "\";\n"))
		case path == "/" || path == "/index.html":
			http.ServeFileFS(w, r, files, "page/index.html")
		case strings.HasSuffix(path, "/"): // no listings of folders
			http.NotFound(w, r)
		default:
			static.ServeHTTP(w, r)
		}
	})
}

func setHeaders(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	// The page sets the rest of its policy itself; frame-ancestors must be a header
	// (CSP 3, 6.4.2). Without it a page could embed this one for clickjacking.
	h.Set("Content-Security-Policy", "frame-ancestors 'none'")
}
