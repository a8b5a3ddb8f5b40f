package webdemo

import (
	"io/fs"
	"net/http"
	"sync"
)

// Files are the files of the page, of which tests make other versions.
var Files fs.FS = files

// HandlerOf serves the page that is made of some files.
func HandlerOf(from fs.FS) http.Handler {
	return handlerOf(sync.OnceValues(func() (map[string]*asset, error) { return makeAssets(from) }))
}
