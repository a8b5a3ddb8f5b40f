// Package webdemo holds the page that the bridge serves on its own port, and clu.js, the browser client that other
// pages may import from there.
//
// They are plain ES modules and CSS: what is in this folder is what the browser gets, with no build step between.
// index.html states the page's test contract, clu.js the client's interface:
//
//	clu.js ─► clu-link.js      a socket that stays up
//	       ├► clu-session.js   the protocol: what was asked for, and how far the page has come
//	       │  ├► clu-clock.js   the bridge's time, by which commands expire
//	       │  └► clu-batch.js   how long replies may wait for others
//	       ├► clu-subscription.js, clu-filter.js   which replies, and their last values
//	       ├► clu-json.js      frames as values, with all digits of their integers
//	       ├► clu-gaps.js      where replies may be missing
//	       └► clu-inflight.js, clu-command.js   commands, their lives, and which replies are theirs
package webdemo

import (
	"embed"
	"net/http"
)

// FS holds the served files, at its root, and nothing else: index.html is the page.
//
//go:embed index.html style.css
//go:embed app.js header.js actors.js replies.js filter.js envelope.js commands.js prompt.js dom.js format.js
//go:embed clu.js clu-batch.js clu-catchup.js clu-clock.js clu-command.js clu-filter.js clu-gaps.js clu-inflight.js clu-json.js clu-link.js clu-record.js clu-reply.js clu-session.js clu-subscription.js clu-url.js
var FS embed.FS

// Handler serves the page and its modules. Pages from elsewhere may import clu.js, and after an upgrade of the bridge
// nobody keeps running the page of the old one.
func Handler() http.Handler {
	files := http.FileServerFS(FS)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Cache-Control", "no-cache")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		w.Header().Set("Referrer-Policy", "no-referrer")
		// The page sets the rest of its policy itself; frame-ancestors must be a header
		// (CSP 3, 6.4.2). Without it a page could embed this one for clickjacking.
		w.Header().Set("Content-Security-Policy", "frame-ancestors 'none'")
		files.ServeHTTP(w, r)
	})
}
