package webdemo

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/evanw/esbuild/pkg/api"
)

// A page of some fifty modules would need as many requests, one after the other through the tree of imports. So the
// modules are joined when the first request comes, in memory: nothing is built beforehand, and the repository holds
// nothing that was generated. esbuild is a library here, with the modules read from the embedded files.

// The addresses of the bundles. What a module loads by import() is a file of its own beside bundleApp.
const (
	bundleFolder  = "bundle"
	bundleApp     = bundleFolder + "/app.js"
	bundleStyle   = bundleFolder + "/style.css"
	bundleLater   = bundleFolder + "/later.css" // with a hash before the extension
	bundleClient  = "clu.js"
	libraryFolder = "page/libraries/" // what others wrote; a folder named vendor is left out of the zip of a module

	bundleVersion = bundleFolder + "/version" // of the page that is served
)

// script is a joined script.
type script struct {
	path    string // with slashes, from the root
	content []byte
	imports []string // the paths of the scripts that it loads at once
}

// bundleScripts joins the modules that an entry point imports. Modules that are loaded by import(), and what they share
// with the others, become scripts of their own. The names of these have a hash: a page of an earlier version of the
// program fails to load them, rather than mix two versions.
func bundleScripts(from fs.FS, entry, folder string) ([]script, error) {
	result := api.Build(api.BuildOptions{
		EntryPoints: []string{entry},
		Plugins:     []api.Plugin{embeddedModules(from, entry)},
		Bundle:      true, Splitting: true, Format: api.FormatESModule, Target: api.ESNext,
		// Local and private names are shortened, which saves an eighth: the names of methods stay, by which errors that
		// users report can be read. /?sources has all names.
		MinifyWhitespace: true, MinifySyntax: true, MinifyIdentifiers: true,
		AbsWorkingDir: "/", Outdir: "/" + folder, EntryNames: "[name]", ChunkNames: "[name]-[hash]",
		Metafile: true, Charset: api.CharsetUTF8, LogLevel: api.LogLevelSilent,
	})
	if err := messages(entry, result.Errors, result.Warnings); err != nil {
		return nil, err
	}
	imports, err := staticImports(result.Metafile)
	if err != nil {
		return nil, err
	}
	scripts := make([]script, len(result.OutputFiles))
	for i, file := range result.OutputFiles {
		name := strings.TrimPrefix(file.Path, "/")
		scripts[i] = script{name, file.Contents, imports[name]}
	}
	return scripts, nil
}

// joinStyles joins style sheets.
func joinStyles(from fs.FS, names []string) ([]byte, error) {
	var joined []byte
	for _, name := range names {
		sheet, err := fs.ReadFile(from, name)
		if err != nil {
			return nil, err
		}
		result := api.Transform(string(sheet), api.TransformOptions{
			Loader: api.LoaderCSS, MinifyWhitespace: true, MinifySyntax: true, Sourcefile: name, Charset: api.CharsetUTF8, LogLevel: api.LogLevelSilent,
			Supported: map[string]bool{"nesting": true}, // as it is written
		})
		if err := messages(name, result.Errors, result.Warnings); err != nil {
			return nil, err
		}
		joined = append(joined, result.Code...)
	}
	return joined, nil
}

// messages returns what esbuild says of a file as an error; nil if that is nothing.
func messages(file string, lists ...[]api.Message) error {
	var all []error
	for _, m := range slices.Concat(lists...) {
		where := file
		if m.Location != nil {
			where = fmt.Sprintf("%s:%d", m.Location.File, m.Location.Line)
		}
		all = append(all, fmt.Errorf("%s: %s", where, m.Text))
	}
	return errors.Join(all...)
}

// embeddedModules lets esbuild read modules from a file system instead of the disk.
//
// A module that is loaded by import() also imports the entry point, which has been loaded by then. esbuild makes a script
// for each set of entry points that need the same modules; so what the entry point needs at once becomes one script
// instead of one for each view that shares a part of it.
func embeddedModules(from fs.FS, entry string) api.Plugin {
	const namespace = "embedded"
	var later sync.Map // modules that are loaded by import()
	return api.Plugin{Name: namespace, Setup: func(build api.PluginBuild) {
		build.OnResolve(api.OnResolveOptions{Filter: "."}, func(args api.OnResolveArgs) (api.OnResolveResult, error) {
			name := args.Path
			if args.Kind != api.ResolveEntryPoint {
				name = path.Join(path.Dir(args.Importer), args.Path)
			}
			if args.Kind == api.ResolveJSDynamicImport {
				later.Store(name, true)
			}
			return api.OnResolveResult{Path: name, Namespace: namespace}, nil
		})
		build.OnLoad(api.OnLoadOptions{Filter: ".", Namespace: namespace}, func(args api.OnLoadArgs) (api.OnLoadResult, error) {
			content, err := fs.ReadFile(from, args.Path)
			if err != nil {
				return api.OnLoadResult{}, err
			}
			text := string(content)
			if strings.HasPrefix(args.Path, libraryFolder) && strings.HasPrefix(text, "/**") {
				text = "/*!" + text[len("/**"):] // the notice of its author, which esbuild keeps in this form
			}
			if _, ok := later.Load(args.Path); ok {
				text += "\nimport " + strconv.Quote(strings.Repeat("../", strings.Count(args.Path, "/"))+entry) + ";\n"
			}
			return api.OnLoadResult{Contents: &text, Loader: api.LoaderJS}, nil
		})
	}}
}

// contentHash returns a short name of a content.
func contentHash(content []byte) string {
	sum := sha256.Sum256(content)
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}
