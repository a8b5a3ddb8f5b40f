package webdemo

import (
	"embed"
	"net/http"
	"strings"
)

//go:embed page/index.html page/style.css page/*.js page/core/*.js client/*.js
var files embed.FS

// Handler serves the console and the client's modules. Every origin may import the modules, and
// browsers revalidate their copies, so that no browser keeps running the page of an earlier
// version.
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
