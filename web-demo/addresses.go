package webdemo

import (
	"io/fs"
	"path"
)

// renamed are modules of the client that had another name.
var renamed = map[string]string{"record": "received"}

// addEarlier adds the addresses /clu-NAME.js, where the client's modules were before they had a folder of their own:
// each re-exports the module. /clu.js itself is joined of all of them, so its classes are not those of the single
// modules: a page imports one or the other.
func addEarlier(assets map[string]*asset, from fs.FS) error {
	modules, err := fs.Glob(from, "client/*.js")
	if err != nil {
		return err
	}
	for _, module := range modules {
		assets["clu-"+path.Base(module)] = reexport(module)
	}
	for earlier, name := range renamed {
		assets["clu-"+earlier+".js"] = reexport("client/" + name + ".js")
	}
	return nil
}

// reexport returns a module that exports what another does.
func reexport(module string) *asset {
	return newAsset(contentTypes[".js"], []byte("export * from \"./"+module+"\";\n"))
}
