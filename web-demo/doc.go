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
