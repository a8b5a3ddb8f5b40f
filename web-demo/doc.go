// Package webdemo holds the console, a page that the bridge serves on its own port, and clu.js, the browser client that
// the console and other pages import.
//
// Both are plain ES modules and CSS without a build step. When the first request comes, the modules and the style sheets
// are joined in memory (bundle.go, index.go), so that the page needs few requests; each answer has a tag of its
// content, and is compressed once (asset.go):
//
//	client/   clu.js and its modules, also an npm package
//	page/     the console: index.html, app.js, and a folder for each view; libraries/ has what others wrote
//
//	GET /                     page/index.html with the joined files in place of its own:
//	GET /bundle/app.js ...    page/app.js with what it imports, and a script for each module that is loaded later
//	GET /bundle/style.css     the style sheets that index.html names, in that order
//	GET /clu.js               client/index.js with what it imports: the address for other pages
//	GET /?sources             page/index.html as it is, for debugging; it loads
//	GET /page/app.js ...      the console's modules as they are, which import
//	GET /client/clu.js ...    the client's
//	GET /clu-NAME.js          earlier addresses of the client's modules (addresses.go)
//
// page/index.html states what tests and scripts may rely on, client/README.md how to use the client, and
// client/clu.d.ts its whole interface.
package webdemo
