// Package webdemo holds the page that the bridge serves on its own port, and clu.js, the browser client that other
// pages may import from there.
//
// They are plain ES modules and CSS: what is in this folder is what the browser gets, with no build step between.
// index.html states the page's test contract, clu.js the client's interface.
package webdemo

import "embed"

// FS holds the served files, at its root, and nothing else: index.html is the page.
//
//go:embed index.html style.css
//go:embed app.js header.js actors.js replies.js filter.js envelope.js commands.js prompt.js dom.js format.js
//go:embed clu.js clu-command.js clu-link.js clu-reply.js
var FS embed.FS
